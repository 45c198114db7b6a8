"""`curate schema`: the schemas of what curate reads and writes."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common

NAMES = ("recipe", "record", "ledger", "diff", "facts")


@click.command("schema")
@click.argument("name", type=click.Choice(NAMES))
@common
def command(out: Output, name: str) -> None:
    """Print a schema: `recipe`, `diff` and `facts` as JSON Schema, `record` and `ledger` as Arrow columns.

    `diff` is the report of a diff, `facts` what a data card measured.

    \b
    Examples:
      curate schema recipe > curate.schema.json
      curate schema record
    """
    if name == "recipe":
        from curate.pipeline.recipe import recipe_schema

        out.json(recipe_schema())
        return
    if name == "facts":
        from curate.card.facts import facts_schema

        out.json(facts_schema())
        return
    if name == "diff":
        from curate.diff.schema import schema as report_schema

        out.json(report_schema())
        return
    from curate import records
    from curate.dataset import ledger

    schema = records.SCHEMA if name == "record" else ledger.SCHEMA
    columns: list[dict[str, Any]] = [{"name": field.name, "type": str(field.type)} for field in schema]
    if out.as_json:
        out.json(columns)
        return
    for column in columns:
        click.echo(f"{column['name']:<14}{column['type']}")
