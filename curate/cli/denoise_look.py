"""`curate denoise --explain` and `--preview`: what the rules do, for a person to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.cli.output import Output, printable
from curate.cli.single import Given
from curate.cli.struck import struck

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.text import Text

    from curate.denoise.explain import Explanation, Passed
    from curate.denoise.stage import DenoiseStage
    from curate.pipeline.recipe import Recipe

_LONGEST = 60
"""Characters of an example's text, or part of one, that are shown."""


def look(
    out: Output,
    stage: Mapping[str, Any],
    preview: int | None,
    record: str,
    explain: bool,
    given: Given,
) -> int:
    """Pass a source through the rules and write nothing; give the exit code.

    Raises:
        UsageError: options do not go together, or the source cannot be read.
    """
    given.writes_nothing("--preview or --explain alone")
    from curate.denoise.explain import Explanation, passed_in_memory
    from curate.pipeline import registry

    recipe = given.recipe("denoise", [stage])
    one = opened(recipe)
    explanation = Explanation(one)
    shown: list[dict[str, Any]] = []
    unread: Counter[str] = Counter()
    for passed in passed_in_memory(one, registry.load(registry.OPEN_SOURCE)(recipe.input), record):
        explanation.add(passed)
        unread.update(passed.unread)
        if preview is not None:
            shown += changed_records(passed, preview - len(shown))
            if len(shown) >= preview and not explain:
                break
    if unread:
        told = ", ".join(f"{code} {number:,}" for code, number in sorted(unread.items()))
        out.talk(
            f"{unread.total():,} records cannot be read and are not shown: {told} (`curate reasons CODE` explains)"
        )
    if out.as_json:
        out.json({**({"shown": shown} if preview is not None else {}), **(facts(explanation) if explain else {})})
        return 0
    if preview is not None:
        for number, one_record in enumerate(shown):
            out.print(_card(one_record, plain=not out.stdout.is_terminal), *([""] if number + 1 < len(shown) else []))
        if not shown:
            named = f" that begin with '{record}'" if record else ""
            out.talk(f"no rule changes any of {explanation.rows:,} records{named}")
    if explain:
        show(out, explanation)
    return 0


def run_and_explain(out: Output, stage: Mapping[str, Any], folder: Path, given: Given) -> int:
    """Denoise into a dataset and tell what each rule did; give the exit code."""
    from curate.cli.execute import exit_code, perform
    from curate.cli.summary import report
    from curate.denoise.explain import Explanation, passed_on_disk

    recipe = given.recipe("denoise", [stage])
    result = perform(out, recipe, folder)
    if isinstance(result, int):
        return result
    one = opened(recipe)
    if one.surveys:
        from curate.dataset.shards import read_table

        one.verdict = read_table(folder / result.steps[-1].folder / "verdict.parquet")
    explanation = Explanation(one)
    for passed in passed_on_disk(folder / result.steps[0].folder, folder / result.steps[-1].folder):
        explanation.add(passed)
    if out.as_json:
        out.json({"out": str(folder), **result.as_dict(), **facts(explanation)})
    else:
        out.print(report(result))
        show(out, explanation)
    return exit_code(recipe, result)


def opened(recipe: Recipe) -> DenoiseStage:
    """The stage of a recipe, opened."""
    from curate.dataset.pictures import PictureStore
    from curate.denoise.stage import DenoiseOptions, DenoiseStage
    from curate.pipeline.stage import Context

    options = recipe.stages[0]
    assert isinstance(options, DenoiseOptions)
    stage = DenoiseStage(options, Context(PictureStore(None, Path())))
    stage.open()
    return stage


def facts(explanation: Explanation) -> dict[str, Any]:
    """What `--explain` says, for JSON."""
    return {
        "records": explanation.rows,
        "rules": [told.as_dict() for told in explanation.rules.values()],
        "never_hit": explanation.never_hit(),
    }


def show(out: Output, explanation: Explanation) -> None:
    """Print what each rule did."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    plain = not out.stdout.is_terminal
    table = Table(box=box.SIMPLE_HEAD)
    for name, justify in (("rule", "left"), ("level", "left"), ("records", "right"), ("hits", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("example", overflow="fold")
    for told in explanation.rules.values():
        if told.hits:
            cell = Text("")
            if told.example and told.example.before:
                cell = struck(told.example.before, told.example.after, plain=plain, longest=_LONGEST)
            elif told.example:
                cell = Text(f"in {printable(told.example.record)}", style="dim")
            table.add_row(Text(told.id, style="bold"), told.level, f"{told.rows:,}", f"{told.hits:,}", cell)
    out.print(f"what the rules did to {explanation.rows:,} records", table)
    for what, names in (("never hit", explanation.never_hit()), ("off", explanation.off())):
        if names:
            out.print(Text.assemble((f"{what}: ", "yellow" if what == "never hit" else "dim"), ", ".join(names)))


def changed_records(passed: Passed, most: int) -> list[dict[str, Any]]:
    """The first records that changed: ids, turns before and after, and the rules that hit."""
    codes: dict[str, list[str]] = {}
    for row in passed.ledger.select(["uid", "code"]).to_pylist():
        codes.setdefault(row["uid"], []).append(row["code"])
    after = dict(zip(passed.after["uid"].to_pylist(), range(passed.after.num_rows), strict=True))
    found: list[dict[str, Any]] = []
    for number, uid in enumerate(passed.before["uid"].to_pylist()):
        if len(found) >= most:
            break
        if uid in codes:
            lines = passed.before["images"][number] != passed.after["images"][after[uid]]
            found.append(
                {
                    "uid": uid,
                    "source_id": passed.before["source_id"][number].as_py(),
                    "rules": codes[uid],
                    "before": _said(passed.before, number, lines),
                    "after": _said(passed.after, after[uid], lines),
                }
            )
    return found


def _said(table: pa.Table, row: int, with_lines: bool) -> list[str]:
    turns = table["turns"][row].as_py() or []
    said = [f"{turn['role']}: {turn['text']}" for turn in turns]
    for image in (table["images"][row].as_py() or []) if with_lines else []:
        if image["ocr"] and image["ocr"]["text"]:
            said += [f"picture: {line}" for line in image["ocr"]["text"].split("\n")]
    return said


def _card(record: Mapping[str, Any], *, plain: bool) -> Text:
    from rich.text import Text

    head = Text.assemble(
        (record["uid"], "bold"), f"  {printable(record['source_id'])}  ", (", ".join(record["rules"]), "cyan")
    )
    body = struck("\n".join(record["before"]), "\n".join(record["after"]), plain=plain)
    return head.append("\n").append(body)
