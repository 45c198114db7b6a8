"""What a recipe says about the engine `ray`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Resources(BaseModel):
    """What one worker of a stage takes of its node."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cpus: float = Field(default=1, gt=0)
    """Processors."""

    gpus: float = Field(default=0, ge=0)
    """Graphics cards; a part of one, such as 0.5, lets workers share it."""


class RayOptions(BaseModel):
    """Where Ray runs, and what the workers of each stage need."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    address: str | None = None
    """Address of a cluster (`auto` for the one that this machine belongs to); none starts Ray on this machine."""

    resources: dict[str, Resources] = {}
    """What a worker takes, by the name of the stage; one processor where nothing is said."""
