"""What curate defends against when data, recipes or servers are hostile: one test for each threat, by its name.

The README's section Security says the same in words, and what is not defended.
"""

from __future__ import annotations

import ast
import gzip
import html
import json
import os
import resource
import subprocess
import sys
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hostile import ESCAPE, STEERS, answers, png_of, steering_source, webp_of
from payloads import PAYLOADS
from stub_server import Stub, serving

from curate.card import front_matter
from curate.cli.main import invoke
from curate.dataset.decode import decode
from curate.denoise.rule_file import load_rules
from curate.errors import CurateError, RowError
from curate.export.template import Template
from curate.labels.registry import Registry
from curate.pipeline.recipe_file import parse_recipe

CURATE = Path(__file__).parents[1] / "curate"

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call a command in the test's folder; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CURATE_CACHE", "off")

    def called(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = invoke([str(one) for one in arguments])
        except CurateError:  # with --debug
            traceback.print_exc()
            code = -1
        return code, *capsys.readouterr()

    return called


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def everything(folder: Path) -> Iterator[tuple[Path, bytes]]:
    return ((path, path.read_bytes()) for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def codes(folder: Path) -> dict[str, str]:
    """What became of the failed records of a finished run, by source id."""
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    ledger, failed = (
        [row for path in sorted(folder.glob(f"*/{side}/*.parquet")) for row in pq.read_table(path).to_pylist()]
        for side in ("ledger", "failed")
    )
    why = {row["uid"]: row["code"] for row in ledger if row["action"] == "failed"}
    return {row["source_id"]: why[row["uid"]] for row in failed}


@pytest.mark.parametrize(
    "how", ["../secret.png", "/{folder}/secret.png", "..\\secret.png", "link.png", "linked/secret.png"]
)
def test_a_picture_outside_of_the_image_root_is_never_read(call: Call, tmp_path: Path, how: str) -> None:
    """A record from the internet would put a private picture of this machine into a training set."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(png_of(40, 8))
    images = tmp_path / "images"
    images.mkdir()
    (images / "link.png").symlink_to(secret)
    (images / "linked").symlink_to(tmp_path)
    name = how.replace("{folder}", str(tmp_path))
    source = lines(tmp_path / "in.jsonl", {"id": "bad", "text": "x", "images": [name]}, {"id": "good", "text": "x"})

    assert call("ingest", source, "out", "--images", images, "--set", "max_failed=9")[0] == 0

    assert codes(tmp_path / "out") == {"bad": "image_path_escapes"}
    assert all(secret.read_bytes() not in data for _, data in everything(tmp_path / "out"))


def test_an_image_folder_does_not_lead_out_of_itself(call: Call, tmp_path: Path) -> None:
    """A link in an unpacked archive would hand over any picture of the machine."""
    (tmp_path / "secret.png").write_bytes(png_of(40, 8))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "good.png").write_bytes(png_of(30, 8))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)

    call("ingest", folder, "out", "--set", "max_failed=9")

    assert set(codes(tmp_path / "out").values()) == {"image_path_escapes"}
    assert sum(pq.read_table(path).num_rows for path in (tmp_path / "out/00-ingest/rows").iterdir()) == 1


def test_ids_and_labels_name_no_file_elsewhere(call: Call, tmp_path: Path) -> None:
    """An id such as ../../.bashrc must not become a path."""
    images = tmp_path / "images"
    images.mkdir()
    (images / "a.png").write_bytes(png_of(60, 8))
    bad = "../../../escaped"
    row = {"text": "这款灯可以调光吗", "label": bad, "images": ["a.png"]}
    source = lines(tmp_path / "in.jsonl", {"id": bad, **row}, {"id": "/" + bad, **row})
    place = tmp_path / "deep" / "er"
    place.mkdir(parents=True)

    assert call("split", source, place / "run", "--images", images)[0] == 0
    assert call("export", place / "run", place / "set", "--template", "plain")[0] == 0

    assert {path.name for path in tmp_path.iterdir()} == {"images", "in.jsonl", "deep"}
    assert {path.name for path in place.iterdir()} <= {"run", "set"}


TAG = '!!python/object/apply:os.system ["touch pwned"]'


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("name: {}\ninput: {{path: a}}\nstages: []\n", lambda path: parse_recipe(path.read_text(), "r.yaml", Path())),
        ("name: x\ntitle: {}\nlanguage: zh\nrules: []\n", load_rules),
        ("name: {}\n", lambda path: Template.load(str(path))),
        ("name: {}\ntasks: {{}}\n", lambda path: Registry.load(str(path))),
        (
            "---\npretty_name: {}\n---\n",
            lambda path: front_matter.load(path.read_text().splitlines(True)[1:-1], "card"),
        ),
    ],
    ids=["recipe", "rules", "template", "labels", "card"],
)
def test_yaml_tags_make_no_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, read: Callable[[Path], object]
) -> None:
    """A recipe from a mail would run programs when it is read."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "file.yaml"
    path.write_text(text.format(TAG))

    with pytest.raises((CurateError, ValueError)):
        read(path)

    assert not (tmp_path / "pwned").exists()


def test_nothing_in_curate_can_run_what_it_reads() -> None:
    """One `pickle.load` or `eval` on a file would make every guard beside it worthless."""
    modules = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "yaml"}
    calls = {"eval", "exec", "compile", "__import__"}
    attributes = {"system", "popen", "read_pickle", "to_pickle", "unsafe_load", "full_load"}
    found = []
    for path in sorted(CURATE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            place = f"{path.relative_to(CURATE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import) and {one.name.partition(".")[0] for one in node.names} & modules:
                found.append(place)
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in modules:
                found.append(place)
            if isinstance(node, ast.Call):
                name = node.func
                if isinstance(name, ast.Name) and name.id in calls:
                    found.append(place)
                if isinstance(name, ast.Attribute) and name.attr in attributes:
                    found.append(place)
                for keyword in node.keywords:
                    value = ast.unparse(keyword.value)
                    if (keyword.arg, value) in {("shell", "True"), ("allow_pickle", "True"), ("typ", "'unsafe'")}:
                        found.append(place)
                    if keyword.arg == "trust_remote_code" and value == "True":
                        found.append(place)
    assert found == []


def test_a_template_cannot_leave_its_sandbox(tmp_path: Path) -> None:
    """Prompt templates are passed around; one must not read the machine it is used on."""
    shipped = (CURATE / "export/templates/plain.yaml").read_text("utf-8")
    path = tmp_path / "t.yaml"
    path.write_text(shipped, "utf-8")
    template = Template.load(str(path))
    compiled = template._environment.from_string("{{ ''.__class__.__mro__[1].__subclasses__() }}")

    with pytest.raises(Exception, match="unsafe"):
        compiled.render()
    with pytest.raises(Exception, match="unsafe"):
        template._environment.from_string("{{ cycler.__init__.__globals__.os.system('id') }}").render()


def test_text_of_a_dataset_is_no_template(call: Call, tmp_path: Path) -> None:
    """A customer who writes braces must not be able to make the prompt."""
    source = lines(tmp_path / "in.jsonl", {"id": "a", "text": "{{ 7*7 }} {% for x in y %}", "label": "ok"})
    assert call("split", source, "run")[0] == 0
    assert call("export", "run", "set", "--template", "plain")[0] == 0

    assert "{{ 7*7 }} {% for x in y %}" in (tmp_path / "set" / "train.json").read_text("utf-8")


def test_no_command_hands_escape_sequences_to_a_terminal(call: Call, tmp_path: Path) -> None:
    """An id from the internet would clear the screen, set the title, or type a command into some terminals."""
    folder = tmp_path / f"in{ESCAPE.replace('/', '')}"
    source = steering_source(folder)
    told, out, ready = answers(folder), folder / "out", folder / "split"
    commands: list[tuple[object, ...]] = [
        ("ingest", source, out, "--images", folder / "images", "--set", "max_failed=99"),
        ("split", out, ready),
        *(("show", out, *more) for more in ((), ("3",))),
        ("why", "r1", "--run", out),
        ("why", "no", "--run", out),
        *(("ls", *more) for more in ((folder,), (out,), (out, "--failed"), (ready, "--noted"))),
        ("denoise", out, "--preview", "3"),
        ("denoise", out, "--explain"),
        ("label", out, folder / "labelled"),
        ("export", ready, folder / "set", "--template", "plain"),
        ("export", "--check", folder / "set"),
        ("export", ready, folder / "no", "--format", f"x{ESCAPE}"),
        ("evaluate", out, told, "--by-label"),
        ("diff", out, ready),
        ("card", ready),
        ("report", ready),
        ("init", folder / "new"),
        ("run", f"x{ESCAPE}"),
        ("show", folder / f"x{ESCAPE}"),
        ("rules", "show", f"x{ESCAPE}"),
        ("reasons", f"x{ESCAPE}"),
        ("thesaurus", "show", f"发货{ESCAPE}"),
        (f"x{ESCAPE}",),
    ]
    leaks, well = [], 0
    for command in commands:
        for form in ((), ("--json",)):
            code, stdout, stderr = call(*command, *form)
            well += code == 0
            assert code != 70, stderr
            if STEERS.search(stdout + stderr):
                leaks.append(ascii((command[0], form, STEERS.findall(stdout + stderr)[:3])))

    assert leaks == []
    assert well > len(commands)


def test_pages_run_nothing_that_a_dataset_says(call: Call, tmp_path: Path) -> None:
    """A report is opened in a browser, often by somebody else, with the rights of a local file."""
    rows = [{"id": text, "text": text, "label": text} for text in PAYLOADS]
    source = lines(tmp_path / "in.jsonl", *rows)
    other = lines(tmp_path / "other.jsonl", *({**row, "text": row["text"] + "!"} for row in rows))
    said = lines(tmp_path / "said.jsonl", *({"id": row["id"], "predicted": PAYLOADS[0]} for row in rows))
    call("ingest", source, "run", "--set", "max_failed=99")
    call("report", "run")
    call("diff", source, other, "--report", "diff.html")
    assert call("evaluate", "run", said, "--html", "scores.html")[0] == 0

    pages = [path for path in tmp_path.rglob("*.html") if path.is_file()]
    assert len(pages) == 3
    for page in pages:
        text = page.read_text("utf-8")
        assert "window.pwned" not in text or all(
            live not in text for live in ("<script>window", "<img src=x", "<svg onload", '" onmouseover="window')
        ), page.name
        assert "default-src 'none'" in html.unescape(text)


@pytest.mark.parametrize("moment", ["answers", "repeats the key", "refuses", "sends on"])
def test_a_key_stands_in_no_file_and_no_message(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Runs and logs are shared; a key in them is a key for everybody."""
    key = "sk-canary-7f3a"
    monkeypatch.setenv("CURATE_API_KEY", key)
    source = lines(tmp_path / "in.jsonl", *({"id": str(n), "text": f"q{n}", "label": "a"} for n in range(3)))
    call("split", source, "run", "--train", "0", "--test", "1", "--val", "0")
    call("export", "run", "set", "--template", "plain")
    body = json.dumps({"error": {"message": f"key {key} may not do this"}}).encode()
    scripts: dict[str, Callable[[dict[str, object], int], object]] = {
        "repeats the key": lambda request, seen: (400, body, 0),
        "refuses": lambda request, seen: (401, body, 0),
        "sends on": lambda request, seen: (307, body, 0),
    }
    stub = Stub(key=key, script=scripts.get(moment, lambda request, seen: None))  # type: ignore[arg-type]
    with serving(stub):
        told = call("infer", "run", "answers", "--server", stub.url, "--model", "tiny", "--split", "test", "--debug")[
            1:
        ]

    assert stub.seen
    assert key not in "".join(told)
    assert [path for path, data in everything(tmp_path) if key.encode() in data] == []


def test_a_password_in_an_address_is_refused(call: Call, tmp_path: Path) -> None:
    """The address is noted in the run; a password in it would be, too."""
    source = lines(tmp_path / "in.jsonl", {"id": "1", "text": "q", "label": "a"})

    code, stdout, stderr = call("infer", source, "out", "--server", "http://me:hunter2@127.0.0.1:9", "--model", "m")

    assert code == 2
    assert "hunter2" not in stdout + stderr
    assert "CURATE_API_KEY" in stderr
    assert [path for path, data in everything(tmp_path) if b"hunter2" in data] == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (png_of(60_000, 60_000), "image_too_large"),
        (png_of(2_000_000_000, 2_000_000_000), "image_too_large"),
        (webp_of(16_384, 16_384), "image_too_large"),
        (png_of(64, 8, comment=1 << 28), None),
    ],
    ids=["png", "png beyond every limit", "webp", "png with a comment of 256 MiB"],
)
def test_a_picture_that_unpacks_to_gigabytes_costs_its_row(data: bytes, code: str | None) -> None:
    """One bad picture would take the memory of the whole machine."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if code is None:
        decode(data)
    else:
        with pytest.raises(RowError) as caught:
            decode(data)
        assert caught.value.code == code
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


_INGEST = """
import sys
from curate.cli.main import invoke
code = invoke(["ingest", sys.argv[1], sys.argv[2], "--set", "max_failed=9", "--workers", "1", "-q"])
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(code, int(peak) >> 10)
"""
# Not ru_maxrss: Linux hands that of the parent on to its children.


def ingested(source: Path, out: Path) -> tuple[int, int]:
    """Exit code and peak MiB of reading a source, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _INGEST, str(source), str(out)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CURATE.parent)},
        check=True,
    )
    code, mib = done.stdout.split()[-2:]
    return int(code), int(mib)


def test_parquet_that_unpacks_to_gigabytes_is_read_within_bounds(tmp_path: Path) -> None:
    """A file of some kilobytes in which a thousand rows share one text of megabytes would fill the memory."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 600, pa.int32()), pa.array(["x" * (8 << 20)]))
    source = tmp_path / "bomb.parquet"
    table = pa.table({"id": [str(n) for n in range(600)], "text": texts})
    pq.write_table(table, source, compression="zstd", dictionary_pagesize_limit=1 << 30, store_schema=False)
    assert source.stat().st_size < 1 << 20

    code, mib = ingested(source, tmp_path / "out")

    assert code == 0
    assert mib < 1500


def test_archives_are_not_unpacked(call: Call, tmp_path: Path) -> None:
    """A zip or gzip file of a kilobyte can hold terabytes; curate says what to do instead of unpacking it."""
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(bytes(1 << 24)))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil.json", "[]")

    for name, words in (("a.jsonl.gz", "gunzip"), ("a.zip", "unzip")):
        code, _, stderr = call("ingest", name, "out")
        assert (code, words in stderr) == (2, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_json_nested_without_end_costs_its_row(call: Call, tmp_path: Path, suffix: str) -> None:
    """A million brackets would end the program with a stack overflow."""
    good, deep = '{"id": "a", "text": "x"}', "[" * 1_000_000 + "]" * 1_000_000
    rows = [good, f'{{"id": "b", "text": {deep}}}', good.replace('"a"', '"c"')]
    path = tmp_path / f"in.{suffix}"
    path.write_text("\n".join(rows) if suffix == "jsonl" else "[" + ",\n".join(rows) + "]")

    code, stdout, _ = call("ingest", path, "out", "--set", "max_failed=9", "--json")

    assert code == 0
    step = json.loads(stdout)["steps"][0]
    assert (step["rows_out"], step["codes"]["failed"]) == (2, {"too_deep": 1})
