"""What every training export can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from curate.dataset.vision import MAX_PIXELS, MIN_PIXELS, Bounds
from curate.pipeline.export import ExportOptions
from curate.pipeline.paths import RecipePath

Split = Literal["train", "val", "test"]
ImageMode = Literal["link", "copy", "embed", "absolute"]


class TrainingOptions(ExportOptions):
    """How a training set is written. Rows of `val` and `test` are for evaluation and prediction."""

    template: str = "plain"
    """Prompt template: `mire`, `plain`, or a YAML file of your own."""

    ocr: tuple[Split, ...] = ("train", "val", "test")
    """Splits that get the text read in their pictures; `[train]` and `[]` give the other conditions of LLM-IR."""

    ocr_characters: int | None = Field(default=None, ge=1)
    """Characters of one picture's text at most; the default is the template's."""

    coarse_fine: bool | None = None
    """Whether answers are `coarse-fine`, by the groups of the label registry; the default is the template's."""

    rationale: bool = False
    """Whether a second turn of training rows asks for the reason, as the template says it."""

    images: ImageMode = "copy"
    """Where pictures go.

    `copy`: into the export; `link`: the same, but originals that fit are hard links; `absolute`: originals that fit
    stay where they are and are named by their full path; `embed`: into the rows.
    """

    max_pixels: int = Field(default=MAX_PIXELS, ge=4 * MIN_PIXELS)
    """Largest picture area; the default is LLaMA-Factory's `image_max_pixels` (768 x 768)."""

    quality: int = Field(default=95, ge=50, le=100)
    """JPEG quality of pictures that had to be changed."""

    cutoff_len: int = Field(default=4096, ge=64)
    """Longest sample in tokens; a longer one is left out, because a trainer would cut it in the middle of a picture."""

    answer_len: int | None = Field(default=None, ge=1)
    """Longest answer in tokens; None for no bound but cutoff_len."""

    images_per_row: int | None = Field(default=None, ge=1)
    """Most pictures of one row, as the server's limit-mm-per-prompt allows; None for no bound."""

    tokenizer: RecipePath | None = None
    """The model's folder or tokenizer.json, to count tokens exactly; without it they are estimated from above."""

    dataset_name: str = Field(default="curate", pattern=r"^[A-Za-z0-9_-]+$")
    """Prefix of the data sets' names."""

    model: str = Field(default="Qwen/Qwen2-VL-7B-Instruct", min_length=1)
    """The model that the training configurations name."""

    @property
    def bounds(self) -> Bounds:
        """Smallest and largest area of a picture."""
        return Bounds(self.max_pixels, MIN_PIXELS)

    @property
    def saves(self) -> Path:
        """Where trained weights go, seen from the export's folder: beside it, because an export is replaced whole."""
        return Path("..") / "saves" / self.dataset_name
