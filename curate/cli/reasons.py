"""`curate reasons`: every code that can stand in a ledger."""

from __future__ import annotations

import click

from curate.cli.output import Output, common


def all_codes() -> list[dict[str, str]]:
    """Every code with the stage or format that writes it and what it means, in a stable order."""
    from curate.pipeline import registry
    from curate.pipeline.shard import ENGINE_CODES

    found = [{"stage": "ingest", "code": code, "meaning": text} for code, text in registry.ingest_codes().items()]
    found += [{"stage": "any", "code": code, "meaning": text} for code, text in ENGINE_CODES.items()]
    for name, stage in registry.stages().items():
        found += [{"stage": name, "code": code, "meaning": text} for code, text in stage.codes.items()]
    for name, exporter in registry.exporters().items():
        found += [{"stage": f"export {name}", "code": code, "meaning": text} for code, text in exporter.codes.items()]
    return found


@click.command("reasons")
@click.argument("code", required=False)
@common
def command(out: Output, code: str | None) -> None:
    """List every code of the ledger and what it means, or explain one CODE.

    \b
    Examples:
      curate reasons
      curate reasons image_truncated
    """
    codes = all_codes()
    if code is not None:
        known = codes
        codes = [item for item in known if item["code"] == code]
        if not codes:
            import difflib

            near = difflib.get_close_matches(code, [item["code"] for item in known], n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"there is no code '{code}'{hint}")
    if out.as_json:
        out.json(codes)
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in ("stage", "code", "meaning"):
        table.add_column(name, overflow="fold")
    for item in codes:
        table.add_row(item["stage"], Text(item["code"], style="bold"), Text(item["meaning"]))
    out.print(table)
