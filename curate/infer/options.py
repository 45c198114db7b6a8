"""How a model is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AskOptions(BaseModel):
    """Options of asking; what decides an answer goes into its digest."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str
    """Name under which the server has the model, or the LoRA adapter."""

    max_tokens: int = Field(default=64, ge=1)
    """Output tokens of one call."""

    temperature: float = Field(default=0.0, ge=0)
    """0 takes the likeliest token each time."""

    seed: int = 0
    """For temperatures above 0."""

    constrain: Literal["auto", "off"] = "auto"
    """Whether answers are held to the labels of the task by the server, where it can."""

    max_calls: int = Field(default=3, ge=1)
    """Calls for one row at most (the MIRE challenge allows 3)."""

    max_output_tokens: int = Field(default=100, ge=1)
    """Output tokens for one row at most, over all its calls (the MIRE challenge allows 100)."""

    concurrency: int = Field(default=16, ge=1)
    """Requests under way at a time."""

    timeout: float = Field(default=120.0, gt=0)
    """Seconds that the server may be silent in one request."""

    retries: int = Field(default=8, ge=0)
    """How often a request is sent again that the server did not answer properly."""

    give_up: float = Field(default=300.0, gt=0)
    """Seconds without any answer after which the run stops; the same command goes on later."""

    def decides(self) -> dict[str, object]:
        """What decides an answer."""
        return self.model_dump(include={"model", "max_tokens", "temperature", "seed", "constrain"})
