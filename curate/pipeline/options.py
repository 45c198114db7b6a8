"""What every step of a recipe may say, whether it is a stage or an export."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class StepOptions(BaseModel):
    """Options of one step; unknown ones are an error, and each is documented by the text under it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    use: str
    """Which stage or export format this is."""

    name: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """Name of this step in the run; needed only where a stage or format is used twice."""

    @property
    def title(self) -> str:
        """The step's name in folders, in the ledger and behind `--set`."""
        return self.name or self.use
