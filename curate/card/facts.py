"""What is measured of a dataset: the schema, version 1, of `NAME.facts.json`. No text of the dataset stands in it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

VERSION: Literal[1] = 1


class Part(BaseModel):
    """A part of the facts; unknown keys are an error."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Quantiles(Part):
    """How a number is spread."""

    n: int
    """Values that were measured."""
    mean: float
    least: float
    p5: float
    p50: float
    p95: float
    most: float


class File(Part):
    """One data file."""

    path: str
    """Relative to the dataset's folder."""
    bytes: int
    sha256: str
    rows: int


class Split(Part):
    """Rows of one split; the empty name stands for rows without one."""

    name: str
    rows: int


class Column(Part):
    """One column, or one field below it (`turns[].text`)."""

    path: str
    type: str
    values: int
    """Values that could be there: rows, or items of the list."""
    nulls: int
    null_share: float
    distinct: int | None
    """Distinct values of a scalar column; None for fields below lists."""


class Label(Part):
    """Rows of one label, by split."""

    task: str
    label: str
    rows: int
    splits: dict[str, int]


class Labels(Part):
    """Labels and where they come from."""

    labelled: int
    unlabelled: int
    sources: dict[str, int]
    """Rows by `label_from`."""
    labels: list[Label]
    """Labels of a registry, and of others those that many rows have."""
    rare_labels: int = 0
    """Labels that are not shown: few rows have them and no registry declares them, so they may name a person."""
    rare_rows: int = 0
    new: list[str] = []
    """Labels that the card before did not have."""
    vanished: list[str] = []
    """Labels that only the card before had."""


class Text(Part):
    """Text of the turns."""

    turns: Quantiles | None
    """Turns of a row."""
    characters: Quantiles | None
    """Code points of a row's turns together."""
    tokens: Quantiles | None = None
    """Tokens of a row's turns together, without marks of a chat template; None where no tokenizer is set."""
    tokenizer: str | None = None
    """The folder of the tokenizer, and the first digits of its SHA-256."""
    roles: dict[str, int]
    """Turns by role."""
    scripts: dict[str, int]
    """Characters by kind: han, kana, hangul, latin, digit, space, mark, letter (of other scripts), other."""
    language: str | None
    """What the scripts alone tell: zh, ja or ko; None where they do not."""


class Images(Part):
    """Pictures."""

    uses: int
    """Pictures of all rows, each as often as it is used."""
    distinct: int
    """Different pictures, by their bytes."""
    looked_at: int
    """Files that were opened; 0 where that was not asked for."""
    missing: int
    unreadable: int
    located: int
    """Files that carry a place (EXIF GPS)."""
    formats: dict[str, int]
    modes: dict[str, int]
    width: Quantiles | None
    """Pixels after EXIF rotation."""
    height: Quantiles | None


class Ocr(Part):
    """What was read in pictures."""

    engines: dict[str, int]
    """Pictures by engine."""
    read: int
    """Pictures that were read, of all uses."""
    with_text: int
    lines: Quantiles | None
    """Lines of a picture that was read."""
    score: Quantiles | None
    """Mean score of a picture's lines."""


class Step(Part):
    """One step that the dataset went through, from the step's own manifest."""

    step: str
    stage: str
    version: int
    options: dict[str, Any]
    environment: dict[str, str]
    seed: int | None
    rows_in: int
    changed: int
    dropped: int
    failed: int
    added: int
    rows_out: int
    reasons: dict[str, dict[str, int]]
    """Rows by action and code."""


class Lineage(Part):
    """Where the rows come from and what was done to them."""

    recipe: str | None
    source_format: str | None
    source_fingerprint: str | None
    steps: list[Step]
    manifests: str | None = None
    """Hash of what the steps' manifests say, output by output; None for plain files. As long as it is the same, so
    are the rows, and a run that was just checked need not be measured again."""
    synthetic: int
    """Rows that were derived from others."""
    synthetic_share: float


class Quality(Part):
    """Rows that say and show the same (turns, and bytes of pictures), or nearly say the same."""

    duplicate_rows: int
    """Rows that have a twin before them."""
    leaked_rows: int
    """Rows whose twin is in another split."""
    leaked_pictures: int
    """Different pictures that are used in more than one split."""
    near_rows: int | None = None
    """Rows whose text an earlier one has, to a Jaccard similarity of 0.8 of its 3-grams; None: too many rows."""
    near_leaked_rows: int | None = None
    """Rows of a split with nearly their text in another one."""
    near_pictures: int | None = None
    """Different pictures that nearly an earlier one is, encoded or scaled anew; None: too many, or not opened."""
    near_leaked_pictures: int | None = None
    """Different pictures of a split of which another split has nearly the same one."""


class Safety(Part):
    """Personal data that patterns find: how much, never what."""

    rules: str
    found: dict[str, dict[str, int]]
    """Finds by column and kind."""
    total: int


class Licence(Part):
    """A licence file that lies with the source; listed, not judged."""

    file: str
    sha256: str
    title: str
    """Its first line that is not empty."""


class Score(Part):
    """A result of `curate evaluate`."""

    name: str
    rows: int
    signature: str
    f1: float
    f1_low: float
    f1_high: float
    accuracy: float
    macro_f1: float


class Facts(Part):
    """Everything that is measured."""

    facts_schema: Literal[1] = VERSION
    curate: str
    """Version that measured."""
    dataset: str
    fingerprint: str
    """`sha256:` over path, size and SHA-256 of each file, sorted by path."""
    rows: int
    bytes: int
    files: list[File]
    splits: list[Split]
    tasks: dict[str, int]
    columns: list[Column]
    labels: Labels
    text: Text
    images: Images
    ocr: Ocr
    lineage: Lineage
    quality: Quality
    safety: Safety
    licences: list[Licence]
    evaluation: list[Score] = []
    blocks: dict[str, str] = {}
    """Hash of each block of the card as it was written."""
    written: str | None = None
    """Hash of the whole card as it was written; while it is the same, nobody has said anything new in it."""


def facts_schema() -> dict[str, Any]:
    """JSON Schema of the facts."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Facts.model_json_schema()}
