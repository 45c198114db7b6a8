"""How a model is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


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

    votes: int = Field(default=1, ge=1)
    """Answers of one row; the label that most of them give is taken. More than one needs a temperature above 0."""

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

    @model_validator(mode="after")
    def _votes_possible(self) -> AskOptions:
        if self.votes > self.max_calls:
            raise ValueError(f"{self.votes} votes are more than max_calls allows ({self.max_calls})")
        if self.votes > 1 and self.temperature == 0:
            raise ValueError("several votes need a temperature above 0, else every answer is the same")
        return self

    def decides(self) -> dict[str, object]:
        """What decides an answer, besides which vote it is."""
        return self.model_dump(include={"model", "max_tokens", "temperature", "seed", "constrain"})
