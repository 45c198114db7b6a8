"""The `split` stage: train, validation and test sets, with everything that belongs together on one side."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate.pipeline.batch import Batch
from curate.pipeline.stage import Stage, StageOptions
from curate.records import SPLITS, flatten


class SplitOptions(StageOptions):
    """How records are shared out."""

    use: Literal["split"] = "split"

    train: float = Field(default=0.9, ge=0, le=1)
    """Share of the training set."""

    val: float = Field(default=0.1, ge=0, le=1)
    """Share of the validation set."""

    test: float = Field(default=0.0, ge=0, le=1)
    """Share of the test set."""

    by: tuple[Literal["picture", "dialogue", "parent"], ...] = ("picture", "dialogue", "parent")
    """What keeps records together: the same picture, the same dialogue text, the same parent record."""

    keep: bool = True
    """Leave records alone that have a split already; what belongs to them joins them."""

    @model_validator(mode="after")
    def _adds_up(self) -> SplitOptions:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError(f"train, val and test must add up to 1, not {self.train + self.val + self.test:g}")
        return self


class SplitStage(Stage[SplitOptions]):
    """Assigns whole groups, stratified by label, in an order drawn from the seed and the records' own ids."""

    name = "split"
    version = 1
    Options = SplitOptions
    surveys = True
    random = True
    codes: ClassVar[dict[str, str]] = {
        "split_assigned": "The record was put into a split, with all that share a picture, dialogue or parent.",
        "split_moved": "The record had another split, but shares a picture, dialogue or parent with this one.",
    }

    def survey(self, batch: Batch) -> pa.Table:
        """Give uid, label, split, and the hashed keys that tie a record to others."""
        table = batch.table
        keys: list[list[str]] = [[] for _ in range(len(batch))]
        if "picture" in self.options.by:
            pictures, rows = flatten(table["images"])
            for row, digest in zip(rows.tolist(), pc.struct_field(pictures, "sha256").to_pylist(), strict=True):
                if digest:
                    keys[row].append(f"p{digest[:24]}")
        if "dialogue" in self.options.by:
            for row, key in enumerate(_dialogue_keys(table)):
                if key:
                    keys[row].append(f"d{key}")
        if "parent" in self.options.by:
            for row, (uid, parent) in enumerate(
                zip(table["uid"].to_pylist(), table["parent"].to_pylist(), strict=True)
            ):
                keys[row].append(f"r{parent or uid}")
        return pa.table(
            {
                "uid": table["uid"],
                "label": table["label"],
                "split": table["split"],
                "keys": pa.array(keys, pa.list_(pa.string())),
            }
        )

    def decide(self, survey: pa.Table) -> pa.Table:
        """Give the split of every record."""
        uids: list[str] = survey["uid"].to_pylist()
        labels: list[str | None] = survey["label"].to_pylist()
        before: list[str | None] = survey["split"].to_pylist() if self.options.keep else [None] * len(uids)
        groups = _groups(survey["keys"].to_pylist())
        chosen = self._share_out(groups, uids, labels, before)
        return pa.table({"uid": pa.array(uids, pa.string()), "split": pa.array(chosen, pa.string())})

    def _share_out(
        self, groups: list[list[int]], uids: list[str], labels: list[str | None], before: list[str | None]
    ) -> list[str]:
        """Walk through the groups label by label and give each to the split that is furthest behind its share.

        Every split then has its share of each label, and of rare labels taken together, to within one group.
        """
        shares = {"train": self.options.train, "val": self.options.val, "test": self.options.test}
        held: Counter[str] = Counter()
        chosen = [""] * len(uids)

        def place(group: list[int]) -> tuple[str, str]:
            counts = Counter(labels[row] or "" for row in group)
            main = min(counts, key=lambda label: (-counts[label], label))
            return main, self._draw(min(uids[row] for row in group))

        passed = 0
        for group in sorted(groups, key=place):
            taken = [split for row in group if (split := before[row])]
            passed += len(group)
            split = (
                min(taken, key=SPLITS.index)
                if taken
                else max((one for one in SPLITS if shares[one] > 0), key=lambda one: shares[one] * passed - held[one])
            )
            held[split] += len(group)
            for row in group:
                chosen[row] = split
        return chosen

    def _draw(self, uid: str) -> str:
        return hashlib.blake2b(f"{self.context.seed}\x00split\x00{uid}".encode(), digest_size=8).hexdigest()

    def process(self, batch: Batch) -> None:
        """Write the verdict into the records."""
        assert self.verdict is not None
        places = pc.index_in(batch.table["uid"], self.verdict["uid"])
        splits = self.verdict["split"].take(places)
        before: list[str | None] = batch.table["split"].to_pylist()
        batch.set_column("split", splits)
        for row, (old, new) in enumerate(zip(before, splits.to_pylist(), strict=True)):
            if old != new:
                batch.change(row, "split_moved" if old else "split_assigned")


def _dialogue_keys(table: pa.Table) -> list[str]:
    """Hash the words of each dialogue, blanks ignored; empty where there is nothing but pictures."""
    turns, rows = flatten(table["turns"])
    texts: list[list[str]] = [[] for _ in range(table.num_rows)]
    for row, text in zip(rows.tolist(), pc.struct_field(turns, "text").to_pylist(), strict=True):
        words = "".join(text.replace("<image>", "").split())
        if words:
            texts[row].append(words)
    return [
        hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest() if parts else "" for parts in texts
    ]


def _groups(keys: Iterable[list[str]]) -> list[list[int]]:
    """Join rows that share a key, directly or over others, to groups (union-find)."""
    leaders: list[int] = []
    first: dict[str, int] = {}

    def leader(row: int) -> int:
        while leaders[row] != row:
            leaders[row] = leaders[leaders[row]]
            row = leaders[row]
        return row

    for row, own in enumerate(keys):
        leaders.append(row)
        for key in own:
            other = first.setdefault(key, row)
            one, two = sorted((leader(row), leader(other)))
            leaders[two] = one
    groups: dict[int, list[int]] = defaultdict(list)
    for row in range(len(leaders)):
        groups[leader(row)].append(row)
    return list(groups.values())
