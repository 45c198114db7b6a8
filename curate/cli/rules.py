"""`curate rules`: the denoising rules there are, the page of one, and a test of a user's own file."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common, printable, whoever_reads
from curate.cli.struck import struck

if TYPE_CHECKING:
    from rich.console import RenderableType

    from curate.denoise.rule_file import RuleFile
    from curate.denoise.rules import Rule

_FILE = click.option(
    "--rules", "name", default="zh-ecommerce", show_default=True, help="Rule file: a shipped name or a YAML file."
)
_SHOWN = 10
"""Examples, and patterns that nothing tries, that are shown."""


@click.group("rules", invoke_without_command=True)
@_FILE
@common
def command(out: Output, name: str) -> None:
    """List the rules of a file; `show ID` explains one, `test FILE` runs a file of your own on its examples.

    \b
    Examples:
      curate rules
      curate rules --rules en-general
      curate rules show advert
      curate rules test my.yaml --data work/train
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    from curate.denoise.rule_file import load_rules, shipped

    file = load_rules(name)
    if out.as_json:
        out.json({"file": file.name, "shipped": shipped(), "rules": [_facts(rule) for rule in file.rules]})
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for column in ("rule", "level", "role", "on", "what"):
        table.add_column(column, overflow="fold")
    for rule in file.rules:
        on = Text("on", style="green") if rule.on else Text("off", style="dim")
        table.add_row(Text(rule.id, style="bold"), rule.level, "" if rule.role == "both" else rule.role, on, rule.what)
    out.print(f"{file.name}: {file.title}", table)
    out.print(f"shipped files: {', '.join(shipped())}")


@command.command("show")
@click.argument("rule_id", metavar="ID")
@_FILE
@common
def show(out: Output, rule_id: str, name: str) -> None:
    """Explain rule ID: what it does, why, what it hits and spares, and which options change it."""
    from curate.denoise.rule_file import load_rules

    file = load_rules(name)
    rule = file.rule(rule_id)
    if rule is None:
        known = [one.id for one in file.rules]
        near = difflib.get_close_matches(rule_id, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
        raise click.UsageError(f"there is no rule '{rule_id}' in {file.name}; {hint}")
    if out.as_json:
        out.json(rule.model_dump(mode="json"))
        return
    out.print(_page(rule, plain=not out.stdout.is_terminal), page=True)


def _facts(rule: Rule) -> dict[str, Any]:
    return rule.model_dump(mode="json", include={"id", "level", "role", "on", "kind", "what"})


def _page(rule: Rule, *, plain: bool) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from curate.denoise.stage import DenoiseOptions

    role = "" if rule.role == "both" else f", {rule.role} turns"
    head = Text.assemble((rule.id, "bold"), f"   {rule.level} level{role}, {'on' if rule.on else 'off'}")
    parts: list[RenderableType] = [head, Text(), Text(rule.what), Text(rule.why, style="dim"), Text()]
    parts.append(Text("hits", style="bold"))
    parts += [Padding(struck(hit.text, hit.gives, plain=plain), (0, 0, 0, 2)) for hit in rule.hits]
    parts += [Text(), Text("spares", style="bold")]
    parts += [Padding(Text(printable(text)), (0, 0, 0, 2)) for text in rule.spares]
    parts += [Text(), Text("options", style="bold")]
    for option in rule.options:
        field = DenoiseOptions.model_fields[option]
        parts.append(Padding(Text(f"{option}: {field.description}  [default: {field.default}]"), (0, 0, 0, 2)))
    switch = "off" if rule.on else "on"
    parts.append(Padding(Text(f"--set '{switch}=[{rule.id}]' switches it {switch}"), (0, 0, 0, 2)))
    return Group(*parts)


@command.command("test")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--data", metavar="IN", type=click.Path(path_type=Path), help="Also name the rules that hit nothing in IN."
)
@click.option("--images", type=click.Path(path_type=Path), help="Folder that picture paths of IN are relative to.")
@common
def test(out: Output, file: Path, data: Path | None, images: Path | None) -> int:
    """Run the rules of FILE on their own examples; exit code 1 where one does not come out as the file says.

    Patterns and words of its own rules that no example tries, and with --data rules that never hit, are told: they may
    hold a typo.
    """
    from curate.denoise.examples import failures, untried
    from curate.denoise.rule_file import load_rules, own_rules

    rules = load_rules(file)
    own = own_rules(file)
    failed = failures(rules, rules.cut())
    never = None if data is None else _never_hit(file, data, images)
    loose = [(rule, pattern) for rule, pattern in untried(rules) if rule in own]
    with whoever_reads():
        if out.as_json:
            told = [{"rule": rule, "pattern": pattern} for rule, pattern in loose]
            out.json({"failed": [vars(one) for one in failed], "untried": told, "never_hit": never})
        else:
            _tell(out, rules, failed, loose)
        if never is not None:
            out.print(f"never hit in {data}: {', '.join(never) or 'none, every rule that is on hit something'}")
    return int(bool(failed))


def _tell(out: Output, rules: RuleFile, failed: list[Any], loose: list[tuple[str, str]]) -> None:
    from rich.text import Text

    examples = sum(len(rule.hits) + len(rule.spares) for rule in rules.rules)
    for one in failed:
        out.print(Text.assemble(("failed ", "red"), (one.rule, "bold"), f"  {printable(one.text)!r}"))
        out.print(f"    should give {printable(one.wanted)!r}", f"    but gives   {printable(one.got)!r}")
    out.print(f"{rules.name}: {len(rules.rules)} rules, {examples} examples, {len(failed)} failed")
    if loose:
        shown = "\n".join(f"  {rule}: {printable(pattern)}" for rule, pattern in loose[:_SHOWN])
        more = f"\n  … and {len(loose) - _SHOWN} more" if len(loose) > _SHOWN else ""
        out.print(f"no example tries these patterns and words:\n{shown}{more}")


def _never_hit(file: Path, data: Path, images: Path | None) -> list[str]:
    from curate.cli.denoise_look import opened
    from curate.cli.single import single_recipe, source_keys
    from curate.denoise.explain import Explanation, passed_in_memory
    from curate.pipeline import registry

    step = {"use": "denoise", "rules": str(file)}
    recipe = single_recipe("denoise", [step], source_keys(data, images, "auto", None), [])
    stage = opened(recipe)
    explanation = Explanation(stage)
    for passed in passed_in_memory(stage, registry.load(registry.OPEN_SOURCE)(recipe.input)):
        explanation.add(passed)
    return explanation.never_hit()
