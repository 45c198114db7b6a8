"""What a recipe may say: pydantic models, the union over all stages, and the JSON Schema for editors."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, create_model, field_validator, model_validator

from curate.pipeline import registry
from curate.pipeline.export import ExportOptions
from curate.pipeline.options import StepOptions
from curate.pipeline.paths import RecipePath
from curate.pipeline.ray_options import RayOptions
from curate.pipeline.source import InputOptions
from curate.pipeline.stage import StageOptions

FLOOR = 10
"""Rows that may always fail under a percentage, so that one bad picture does not stop a small set."""
NAME_LENGTH = 64
"""Characters of a recipe's or a step's name; it becomes the name of a folder, which may have 255 bytes."""
MEMORY_LEAST = 256
"""MiB without which a worker cannot even start."""


@dataclass
class _Places:
    """Where things were said; recipes that say the same are equal, wherever they say it."""

    said_at: dict[str, str] = field(default_factory=dict, compare=False)


class Recipe(BaseModel):
    """A pipeline: where the data comes from, the stages in order, and what is written at the end."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str = Field(pattern=r"^[\w][\w.-]*$", max_length=NAME_LENGTH)
    """Name of the recipe; the default output folder is `work/NAME`."""

    description: str = ""
    """One or two sentences for people."""

    input: InputOptions
    """The raw data."""

    stages: list[StageOptions]
    """The steps, in order; each has `use: STAGE` and that stage's options."""

    exports: list[ExportOptions] = []
    """Training sets to write from the finished records; each has `use: FORMAT`."""

    checks: list[str] = []
    """What must hold between all rows that came in and the finished ones: `removed <= 2%`, `digits == 0`,
    `drift@label <= 0.05`, `rows@train >= 1000`; the rules of `curate diff --fail-on`. Else the exit code is 1."""

    card: RecipePath | Literal[False] | None = None
    """The data card (.md) that each run brings up to date, facts and Croissant beside it; made where there is none.

    Where nothing is said, `curate run` keeps `data_cards/NAME.md` of the working folder; `false` is for no card.
    """

    seed: int = 0
    """Everything random is drawn from hash(seed, uid, stage, variant)."""

    max_failed: int | str = "1%"
    """How many rows of one stage may fail before the run stops: a number, or a share of the rows.

    A share always allows 10 rows; a run in which every row fails always stops. A number that the recipe gives
    also says that so many failed rows are no reason for exit code 1.
    """

    workers: int | Literal["auto"] = "auto"
    """Worker processes; `auto` is one for each processor, with Ray as many as there is room for."""

    engine: Literal["local", "ray"] = "local"
    """Who runs the stages: processes on this machine, or a Ray cluster (extra `ray`); the bytes are the same."""

    ray: RayOptions = RayOptions()
    """Where Ray runs, and what its workers need."""

    time_limit: float = Field(default=900, gt=0, allow_inf_nan=False)
    """Seconds that a worker may stay silent before the row it works on is set aside as `time_limit`."""

    memory_limit: int | Literal["auto"] = "auto"
    """MiB that one worker may hold before its row is set aside as `out_of_memory`.

    `auto` shares out nine tenths of the free memory.
    """

    _places: _Places = PrivateAttr(default_factory=lambda: _Places())

    @property
    def said_at(self) -> dict[str, str]:
        """Where each stage and each of its options was said, as `shop.yaml:12`, by `filter` and `filter.max_blur`."""
        return self._places.said_at

    @field_validator("input")
    @classmethod
    def _shards_hold_rows(cls, value: InputOptions) -> InputOptions:
        if value.shard_rows != "auto" and value.shard_rows < 1:
            raise ValueError("shard_rows must be 1 or more, or auto")
        return value

    @field_validator("max_failed", mode="before")
    @classmethod
    def _is_budget(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        if isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?%", value) and float(value[:-1]) <= 100:
            return value
        raise ValueError("must be a number of rows (20) or a share of them (1%)")

    @field_validator("workers", mode="before")
    @classmethod
    def _at_least_one(cls, value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, int) and value < 1):
            raise ValueError("must be 1 or more, or auto")
        return value

    @field_validator("memory_limit", mode="before")
    @classmethod
    def _enough_to_start(cls, value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, int) and value < MEMORY_LEAST):
            raise ValueError(f"must be {MEMORY_LEAST} (MiB) or more, or auto")
        return value

    @model_validator(mode="after")
    def _names_differ(self) -> Recipe:
        for kind, steps in (("stages", self.stages), ("exports", self.exports)):
            titles = [step.title for step in steps]
            long = [title for title in titles if len(title) > NAME_LENGTH]
            if long:
                raise ValueError(f"the name '{long[0][:20]}…' is longer than {NAME_LENGTH} characters")
            twice = sorted({title for title in titles if titles.count(title) > 1})
            if twice:
                raise ValueError(f"two {kind} are called '{twice[0]}'; give one of them a `name:`")
        return self

    @model_validator(mode="after")
    def _resources_have_stages(self) -> Recipe:
        titles = [step.title for step in self.stages]
        strange = sorted(set(self.ray.resources) - set(titles))
        if strange:
            raise ValueError(f"ray.resources names '{strange[0]}'; the stages are: {', '.join(titles)}")
        return self

    @property
    def limits(self) -> str:
        """The limits that a row may break, as the recipe says them."""
        return f"time_limit {self.time_limit:g}, memory_limit {self.memory_limit}"

    def tolerates(self, failed: int) -> bool:
        """Whether the recipe itself says that this many rows may fail; then a run with failed rows ends well."""
        return "max_failed" in self.model_fields_set and isinstance(self.max_failed, int) and failed <= self.max_failed

    def allowed_failures(self, rows: int) -> int:
        """How many of `rows` may fail in one stage."""
        if isinstance(self.max_failed, int):
            return self.max_failed
        return max(FLOOR, int(rows * float(self.max_failed[:-1]) / 100))


@cache
def recipe_model(stages: tuple[str, ...] | None = None, exports: tuple[str, ...] | None = None) -> type[Recipe]:
    """The recipe with `stages` and `exports` narrowed to the options of the stages and formats there are.

    Args:
        stages: Only these stages, so that a recipe costs the imports of what it uses; None for all.
        exports: Only these formats.
    """
    stage_options = [registry.stages()[name].Options for name in _chosen(registry.stages(), stages)]
    export_options = [registry.exporters()[name].Options for name in _chosen(registry.exporters(), exports)]
    fields: dict[str, Any] = {
        "stages": (_list_of_any(stage_options), Field(description="The steps, in order.")),
        "exports": (
            _list_of_any(export_options),
            Field(default=[], description="Training sets to write from the finished records."),
        ),
    }
    return create_model("Recipe", __base__=Recipe, __doc__=Recipe.__doc__, **fields)


def _chosen(known: Iterable[str], names: tuple[str, ...] | None) -> Iterable[str]:
    return known if names is None else names


def _list_of_any(options: Sequence[type[BaseModel]]) -> Any:
    """The type of a list whose items are told apart by their key `use`."""
    if len(options) < 2:
        return list[options[0]] if options else list[StepOptions]  # type: ignore[valid-type]
    return list[Annotated[functools.reduce(operator.or_, options), Field(discriminator="use")]]  # type: ignore[misc]


def recipe_schema() -> dict[str, Any]:
    """JSON Schema of a recipe, for editors."""
    schema = recipe_model().model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "curate recipe", **schema}
