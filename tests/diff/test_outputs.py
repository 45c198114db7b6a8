"""What is written: valid whatever the data hold, the same twice, and within its bounds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from diff_example import example
from diff_support import Rows, chats, compare, jsonl, sentence
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from curate.diff.every_row import every_row
from curate.diff.flow import RemovedBy
from curate.diff.markdown import COMMENT, code, markdown
from curate.diff.opening import open_pair
from curate.diff.options import DiffOptions
from curate.diff.output import json_text, save_rows
from curate.diff.private import redacted
from curate.diff.report import Report
from curate.diff.schema import schema
from curate.diff.segments import everything_visible

PAYLOADS = [
    "<script>document.title='hit'</script>", '"><img src=x onerror=alert(1)>', "</script>", "</template>",
    "<svg onload=alert(1)>", "javascript:alert(1)", "{{7*7}}", "${7*7}", "]]>", "--><script>", "a|b|c", "`code`",
    "``` fence", "@everyone", "#1", "[x](javascript:alert(1))", "=HYPERLINK(1)", "[red]x[/red]", "\x1b[2J", "\u202eabc",
    "a\u2028b", "nul\x00", "lone \ud800", "x" * 100_000, "line\nline",
]  # fmt: skip
"""What breaks pages, tables and terminals."""


def poisoned(payload: str) -> tuple[Rows, Rows]:
    """Two data sets with a payload in every text, id, label and column name."""
    rows: list[dict[str, Any]] = [
        {
            "id": f"{place}{payload}",
            "label": payload[:60],
            f"c{payload[:60]}": payload,
            "conversations": [{"from": "human", "value": f"{payload}{place}"}, {"from": "gpt", "value": "好"}],
        }
        for place in range(4)
    ]
    after: list[dict[str, Any]] = json.loads(json.dumps(rows[1:]))
    after[0]["conversations"][0]["value"] += payload
    after[1]["label"] = f"新{payload[:60]}"
    after[2][f"c{payload[:60]}"] = payload[::-1] + "1"
    return rows, [*after, {**after[0], "id": f"new{payload}"}]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda one: ascii(one[:12]))
def test_no_text_breaks_a_report(payload: str, tmp_path: Path) -> None:
    """Acceptance 12: a data set holds whatever people and crawlers typed; JSON parses and tables stay tables."""
    a, b = poisoned(payload)
    report = compare(jsonl(tmp_path / "a.jsonl", a), jsonl(tmp_path / "b.jsonl", b), key=("id",))
    assert (report.rows.changed, report.rows.added, report.rows.removed) == (3, 1, 1)

    plain = json.loads(json_text(report))
    jsonschema.validate(plain, schema())
    save_rows(
        every_row(*open_pair(str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")), DiffOptions(key=("id",))),
        tmp_path / "r.jsonl",
    )
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text("utf-8").splitlines()]
    assert [line["status"] for line in lines] == ["changed"] * 3 + ["removed", "added"]

    text = markdown(report)
    assert "<script" not in text.replace("`" + payload, "") or "<script" not in re.sub(r"(`+).*?\1", "", text)
    assert "\x1b" not in text
    assert "\x00" not in text
    text.encode("utf-8")
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(cells) == 1, block


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda one: ascii(one[:12]))
def test_no_name_of_a_file_or_column_is_markup(payload: str) -> None:
    """Acceptance 12, outside of code: names of files, runs, stages, rules and columns stand in our own sentences."""
    report = Report.from_plain(everything_visible(example(payload[:200]).plain()))  # as `diff` gives it
    text = markdown(report)

    text.encode("utf-8", "surrogatepass")
    assert not re.search("[\x00\x1b\u202e]", text)
    prose = re.sub(
        r"^<!-- curate-diff:[\w./ →-]* -->$", "", re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text), flags=re.MULTILINE
    )
    prose = re.sub(r"</?(details|summary|sub)>", "", prose)
    assert re.findall(r"(?<!\\)<[^ ]", prose) == []
    assert re.findall(r"(?<!\\)\]\(", prose) == []
    assert re.findall("[@#](?![\u2060# ])(?=\\w)", prose.replace("###", "")) == []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


@given(st.text(max_size=200))
def test_inline_code_cannot_end_early(text: str) -> None:
    """A backtick more than expected, and the rest of a comment is markup."""
    shown = code(text, 1000)
    fence = re.match("`+", shown)

    assert fence is not None
    assert shown.endswith(fence.group())
    assert fence.group() not in re.sub(f"^{fence.group()}|{fence.group()}$", "", shown)
    assert "\n" not in shown
    assert not re.search(r"(?<!\\)\|", shown)
    assert not re.search("[@#](?!\u2060)", shown)


cells = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12)
values = st.recursive(
    cells,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=4), one, max_size=3),
    max_leaves=3,
)
rows = st.lists(st.dictionaries(st.sampled_from(["id", "label", "text", "x.y", "split", ""]), values), max_size=4)


@settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.explicit]
)
@given(rows, rows)
def test_json_fits_its_schema_whatever_the_data(tmp_path_factory: pytest.TempPathFactory, a: Rows, b: Rows) -> None:
    """Acceptance 11: a consumer that validates must never meet a report that does not fit."""
    folder = tmp_path_factory.mktemp("fuzz")
    report = compare(jsonl(folder / "a.jsonl", [{"n": 1}, *a]), jsonl(folder / "b.jsonl", [{"n": 1}, *b]))

    check = jsonschema.Draft202012Validator(schema())
    for mode in ("none", "default", "keys-only", "strict"):
        told = json.loads(json_text(redacted(report, mode)))  # type: ignore[arg-type]
        assert [error.message for error in check.iter_errors(told)] == []


def test_ten_thousand_changed_rows_fit_and_say_what_is_missing(tmp_path: Path) -> None:
    """Acceptance 13: reports of 80 MB open in no browser; what is left out must be said."""
    before = [{"id": str(place), "text": sentence(place, 120)} for place in range(10_000)]
    after = [{**row, "text": row["text"].replace("的", "地")} for row in before]

    report = compare(jsonl(tmp_path / "a.jsonl", before), jsonl(tmp_path / "b.jsonl", after), key=("id",))

    assert report.rows.changed > 9_000
    assert len(report.samples.changed) == 20
    assert report.limits.left_out == (f"{report.rows.changed - 20:,} changed rows are not shown",)
    assert len(json_text(report)) < 200_000
    assert len(markdown(report)) <= COMMENT


def test_json_lines_hold_every_row_that_differs(tmp_path: Path) -> None:
    """Samples are for people; a program that repairs rows needs all of them."""
    before, after = chats(3_000), chats(3_000)[40:]
    for row in after[:2_500]:
        row["conversations"][0]["value"] += "？"
    one, other = open_pair(str(jsonl(tmp_path / "a.jsonl", before)), str(jsonl(tmp_path / "b.jsonl", after)))

    rows = list(every_row(one, other, DiffOptions()))

    assert [sum(row.status == name for row in rows) for name in ("changed", "removed", "added")] == [2_500, 40, 0]
    assert len({row.uid for row in rows}) == len(rows)


def test_markdown_gives_up_samples_before_anything_else() -> None:
    """A comment that is too long is not posted at all; the verdict must survive."""
    report = example(samples=300)
    text = markdown(report, 6_000)

    assert len(text) <= 6_000
    assert "FAIL: removed:2%" in text
    assert all(
        word in text
        for word in ("840 → 934", "3 rows changed digits", "not shown: 180 changed, 25 removed, 119 added rows")
    )


def test_markdown_says_why_rows_went_and_shows_turns_as_people_read_them(tmp_path: Path) -> None:
    """A dump of Python's dictionaries in a pull request is read by nobody; and why rows went is the first question."""
    before, after = chats(6), chats(6)[1:]
    after[0]["conversations"].pop()
    report = compare(jsonl(tmp_path / "a.jsonl", before), jsonl(tmp_path / "b.jsonl", after), key=("id",))
    gone = RemovedBy(stage="filter", action="dropped", code="too_short", rows=1)
    text = markdown(report.model_copy(update={"removed_by": (gone,)}))

    assert "\nwhy rows went: filter: too\\_short 1\n" in text
    assert f"gone: `gpt: {before[1]['conversations'][1]['value']} → (none)`" in text
    assert "{'" not in text
    assert f"`{before[0]['conversations'][0]['value']}`" in text


def test_markdown_counts_what_it_does_not_show_of_every_status(tmp_path: Path) -> None:
    """It told of samples only where changed rows were cut; removed ones went in silence."""
    file = jsonl(tmp_path / "a.jsonl", chats(50))
    report = compare(file, jsonl(tmp_path / "b.jsonl", chats(10)), key=("id",))

    assert "_not shown: 20 removed rows_" in markdown(report)
    assert "_not shown: 35 removed rows_" in markdown(report, 1_500)
    assert "not shown" not in markdown(compare(file, file))


DIFF = """
import sys
from curate.cli.main import invoke
sys.exit(invoke(sys.argv[1:]))
"""


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    """Acceptance 14: reports that differ without a reason cannot be compared, cached or trusted."""
    before, after = chats(150), chats(150)[5:]
    for place, row in enumerate(after):
        row["conversations"][1]["value"] += "啊1"[place % 2]
    jsonl(tmp_path / "a.jsonl", before), jsonl(tmp_path / "b.jsonl", after)
    found = []
    for seed in ("0", "1"):
        names = [f"{seed}.json", f"{seed}.md", f"{seed}.jsonl"]
        arguments = ["diff", "a.jsonl", "b.jsonl", "-q", *(part for name in names for part in ("--report", name))]
        done = subprocess.run(
            [sys.executable, "-c", DIFF, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        )
        found.append([done.stdout, *((tmp_path / name).read_bytes() for name in names)])

    assert found[0] == found[1]


def test_samples_stay_when_other_rows_change(tmp_path: Path) -> None:
    """Two reports in a row are read side by side; rows that come and go for no reason are noise."""
    before, after = chats(400), chats(400)
    for row in after[:200]:
        row["conversations"][1]["value"] += "啊"
    first = compare(jsonl(tmp_path / "a.jsonl", before), jsonl(tmp_path / "b.jsonl", after), key=("id",))
    for row in after[200:203]:
        row["conversations"][1]["value"] += "啊"
    second = compare(tmp_path / "a.jsonl", jsonl(tmp_path / "c.jsonl", after), key=("id",))

    kept = {row.uid for row in first.samples.changed} & {row.uid for row in second.samples.changed}
    assert len(kept) >= 17


def test_strict_reports_hold_no_text_of_the_data(tmp_path: Path) -> None:
    """A comment on a pull request may be public."""
    before, after = chats(30), chats(30)[3:]
    after[0]["conversations"][1]["value"] = "秘密的话"
    report = redacted(
        compare(jsonl(tmp_path / "a.jsonl", before), jsonl(tmp_path / "b.jsonl", after), key=("id",)), "strict"
    )

    told = markdown(report) + json_text(report).decode()
    assert [text for text in ("秘密", "退款", "c00003", sentence(7)) if text in told] == []
    assert (report.rows.changed, report.rows.removed) == (1, 3)


def test_the_schema_of_version_1_keeps_its_fields() -> None:
    """Within version 1 fields are only added; whoever reads `rows.removed` today reads it tomorrow."""
    frozen = json.loads((Path(__file__).parent / "schema_v1.json").read_text("utf-8"))

    now = {name: sorted(part.get("properties", {})) for name, part in {**schema()["$defs"], "": schema()}.items()}
    assert {name: sorted(set(fields) - set(now.get(name, ()))) for name, fields in frozen.items()} == {
        name: [] for name in frozen
    }
