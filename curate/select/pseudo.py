"""The `pseudo` stage: answers of models become labels where several agree and are sure enough.

EcomMIR (WWW2025 MIRE, second place) keeps scenes that were predicted with at least 0.99, and intents on which a model
agrees with the best one before it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import pyarrow as pa
from pydantic import Field, model_validator

from curate.dataset.files import content_hash, read_json
from curate.dataset.predictions import FILE, REPORT, Prediction, read_predictions
from curate.errors import UsageError
from curate.pipeline.batch import Batch
from curate.pipeline.paths import RecipePath
from curate.pipeline.stage import Context, Stage, StageOptions

THRESHOLD = 0.99
"""EcomMIR's threshold for scenes."""


class PseudoOptions(StageOptions):
    """Which answers become labels."""

    use: Literal["pseudo"] = "pseudo"

    predictions: tuple[RecipePath, ...] = ()
    """Predictions of the same rows: folders of `curate infer`, or files with an id and an answer in each row.

    Without any, in the first round of a recipe, no row is touched.
    """

    tasks: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Tasks whose rows are labelled; all where null."""

    agree: int | None = Field(default=None, ge=1)
    """How many of the predictions must give the label; default: all."""

    threshold: float = Field(default=THRESHOLD, ge=0, le=1)
    """Least confidence; the lowest of the predictions that agree counts. 0 takes answers without a confidence too."""

    thresholds: dict[str, float] = Field(default_factory=dict)
    """Other thresholds, by task or by label; a label's own wins."""

    cap: int | None = Field(default=None, ge=1)
    """Rows of one label at most; the surest stay."""

    into: Literal["train", "val", "test"] | None = "train"
    """Split that the rows go to; null leaves it as it is."""

    others: Literal["drop", "keep"] = "drop"
    """What becomes of rows without a label that get none."""

    @model_validator(mode="after")
    def _possible(self) -> PseudoOptions:
        if self.agree is not None and self.agree > len(self.predictions) > 0:
            raise ValueError(f"agree is {self.agree}, but there are {len(self.predictions)} predictions")
        if any(not 0 <= value <= 1 for value in self.thresholds.values()):
            raise ValueError("thresholds must be between 0 and 1")
        return self


class Verdict(NamedTuple):
    """What the predictions say of one row."""

    label: str | None
    confidence: float | None
    code: str
    value: float | None = None
    threshold: float | None = None


class PseudoStage(Stage[PseudoOptions]):
    """Labels rows that have no label; rows with a gold label are never touched."""

    name = "pseudo"
    version = 2
    Options = PseudoOptions
    surveys = True
    codes: ClassVar[dict[str, str]] = {
        "pseudo_labelled": "The predictions agree on a label and are sure enough; it became the record's label.",
        "no_prediction": "Too few of the predictions have an answer for the record.",
        "disagreement": "Fewer predictions than `agree` give the same label; the value is how many do.",
        "below_threshold": "The predictions agree, but one of them is less sure than the threshold.",
        "over_cap": "The label has `cap` records that are surer.",
        "label_not_allowed": "The predictions agree on something that is no label of the task.",
    }

    def __init__(self, options: PseudoOptions, context: Context) -> None:
        super().__init__(options, context)
        self._sets: list[list[tuple[str, Mapping[str, Prediction]]]] = []
        """The answers of each set, by uid and by source_id, where they have them."""

    def environment(self) -> Mapping[str, str]:
        """Hashes of the predictions, and what the ledger calls them."""
        found = {}
        for number, path in enumerate(self.options.predictions):
            file = path / FILE if path.is_dir() else path
            try:
                found[f"predictions {number + 1}"] = f"{content_hash(file)} {_named(path)}"
            except OSError as error:
                raise UsageError(f"the predictions {file} cannot be read: {error.strerror}") from error
        return found

    def open(self) -> None:
        """Read the predictions."""
        for path in self.options.predictions:
            read = read_predictions(path)
            if not read.names:
                raise UsageError(f"{read.path} does not say which row each prediction belongs to; it needs uid or id")
            self._sets.append([(key, dict(zip(names, read.rows, strict=True))) for key, names in read.names.items()])

    def survey(self, batch: Batch) -> pa.Table:
        """Give uid, label and confidence of every row that could be labelled."""
        found = [
            (row["uid"], verdict.label, verdict.confidence or 0.0)
            for row, verdict in self._verdicts(batch)
            if verdict is not None and verdict.code == "pseudo_labelled"
        ]
        columns = list(zip(*found, strict=True)) or [(), (), ()]
        names = (("uid", pa.string()), ("label", pa.string()), ("confidence", pa.float64()))
        return pa.table({name: pa.array(values, kind) for (name, kind), values in zip(names, columns, strict=True)})

    def decide(self, survey: pa.Table) -> pa.Table:
        """Give the uids that stay below the cap of their label."""
        by_label: dict[str, list[tuple[float, str]]] = defaultdict(list)
        columns = (survey[name].to_pylist() for name in ("uid", "label", "confidence"))
        for uid, label, confidence in zip(*columns, strict=True):
            by_label[label].append((-confidence, uid))
        kept = sorted(uid for rows in by_label.values() for _, uid in sorted(rows)[: self.options.cap])
        return pa.table({"uid": pa.array(kept, pa.string())})

    def process(self, batch: Batch) -> None:
        """Label what may be labelled; drop the rest, or leave it alone."""
        assert self.verdict is not None, "decide comes before process"
        kept = set(self.verdict["uid"].to_pylist())
        columns = {name: batch.table[name].to_pylist() for name in ("label", "label_from", "confidence", "split")}
        for number, (row, verdict) in enumerate(self._verdicts(batch)):
            if verdict is None:
                continue
            if verdict.code == "pseudo_labelled" and row["uid"] not in kept:
                verdict = verdict._replace(code="over_cap", value=verdict.confidence)
            facts = {"metric": "confidence", "value": verdict.value, "threshold": verdict.threshold}
            if verdict.code == "pseudo_labelled":
                for name, value in (
                    ("label", verdict.label),
                    ("label_from", "pseudo"),
                    ("confidence", verdict.confidence),
                    ("split", self.options.into or columns["split"][number]),
                ):
                    columns[name][number] = value
                batch.change(number, verdict.code, **facts, detail=self._names())
            elif self.options.others == "drop":
                batch.drop(number, verdict.code, **facts)
        for name, values in columns.items():
            batch.set_column(name, pa.array(values, batch.table.schema.field(name).type))

    def _names(self) -> str:
        return ", ".join(map(_named, self.options.predictions))

    def _verdicts(self, batch: Batch) -> Iterator[tuple[dict[str, Any], Verdict | None]]:
        """Give a verdict on every row that may be labelled, None on the others."""
        tasks = self.options.tasks
        for row in batch.table.select(["uid", "source_id", "task", "label"]).to_pylist():
            free = self._sets and row["label"] is None and (tasks is None or row["task"] in tasks)
            yield row, self._judge(row) if free else None

    def _judge(self, row: Mapping[str, Any]) -> Verdict:
        found = [_answer(row, answers) for answers in self._sets]
        given = [one for one in found if one is not None and one.answer is not None]
        needed = self.options.agree or len(self._sets)
        if len(given) < needed:
            return Verdict(None, None, "no_prediction", float(len(given)), float(needed))
        votes = Counter(one.answer for one in given)
        label, times = min(votes.items(), key=lambda item: (-item[1], item[0] or ""))
        if times < needed:
            return Verdict(None, None, "disagreement", float(times), float(needed))
        allowed = self.context.labels.get(row["task"])
        if allowed is not None and label not in allowed:
            return Verdict(None, None, "label_not_allowed")
        confidences = [one.confidence for one in given if one.answer == label]
        sure = None if None in confidences else min(one for one in confidences if one is not None)
        threshold = self._threshold(row["task"], label or "")
        if (sure or 0.0) < threshold:
            return Verdict(label, sure, "below_threshold", sure, threshold)
        return Verdict(label, sure, "pseudo_labelled", sure, threshold)

    def _threshold(self, task: str, label: str) -> float:
        own = self.options.thresholds
        return own.get(label, own.get(task, self.options.threshold))


def _named(predictions: Path) -> str:
    """Name predictions for the ledger: their file or folder, and the model where `curate infer` wrote them."""
    about = read_json(predictions / REPORT)
    model = about.get("options", {}).get("model") if isinstance(about, dict) else None
    return f"{predictions.name} (model {model})" if model else predictions.name


def _answer(row: Mapping[str, Any], answers: list[tuple[str, Mapping[str, Prediction]]]) -> Prediction | None:
    """The answer to a row, by the surest of its names that the answers know."""
    return next((known[row[key]] for key, known in answers if row[key] in known), None)
