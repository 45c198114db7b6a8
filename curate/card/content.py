"""What the rows say: splits, tasks, labels, and the text of the turns."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.card.facts import Label, Labels, Split, Text
from curate.card.numbers import counted, language, quantiles, scripts, sorted_counts
from curate.dataset.tokens import CountTokens
from curate.records import PLACEHOLDER, SPLITS, flatten
from curate.report import personal
from curate.report.redaction import LEAST


class ContentCounts:
    """Counts what rows say, batch by batch; four bytes a row for each of two or three lengths.

    Args:
        tokens: Counts the tokens of a text; None for no counts of tokens.
    """

    def __init__(self, tokens: CountTokens | None = None) -> None:
        self._count_tokens = tokens
        self._tokens: list[np.ndarray[Any, Any]] = []
        self._cells: Counter[tuple[str, str | None, str]] = Counter()
        self._label_from: Counter[str] = Counter()
        self._roles: Counter[str] = Counter()
        self._scripts: Counter[str] = Counter()
        self._turns: list[np.ndarray[Any, Any]] = []
        self._characters: list[np.ndarray[Any, Any]] = []
        self.derived = 0
        """Rows that were made from others."""

    def add(self, table: pa.Table) -> None:
        """Count a batch."""
        cells = (
            table.select(["task", "label", "split"]).group_by(["task", "label", "split"]).aggregate([([], "count_all")])
        )
        for cell in cells.to_pylist():
            self._cells[(cell["task"], cell["label"], cell["split"] or "")] += cell["count_all"]
        counted(table["label_from"].combine_chunks(), self._label_from)
        self.derived += table.num_rows - table["parent"].null_count
        turns, rows = flatten(table["turns"])
        texts = turns.field("text")
        counted(turns.field("role"), self._roles)
        said = pc.replace_substring(texts, PLACEHOLDER, "")
        self._scripts += scripts(said)
        lengths = pc.utf8_length(said).fill_null(0).to_numpy(zero_copy_only=False)
        self._characters.append(np.bincount(rows, weights=lengths, minlength=table.num_rows).astype(np.float32))
        if self._count_tokens is not None:
            counts = [self._count_tokens(text or "") for text in said.to_pylist()]
            self._tokens.append(np.bincount(rows, weights=counts, minlength=table.num_rows).astype(np.float32))
        self._turns.append(np.bincount(rows, minlength=table.num_rows).astype(np.float32))

    def splits(self) -> list[Split]:
        """Rows by split, in the order of `records.SPLITS`; rows without one last."""
        rows: Counter[str] = Counter()
        for (_, _, split), number in self._cells.items():
            rows[split] += number
        return [Split(name=name, rows=rows[name]) for name in (*SPLITS, "") if rows[name]]

    def tasks(self) -> dict[str, int]:
        """Rows by task."""
        rows: Counter[str] = Counter()
        for (task, _, _), number in self._cells.items():
            rows[task] += number
        return sorted_counts(rows.items())

    def labels(self, declared: bool) -> Labels:
        """Rows by label and split, commonest first; `declared`: a registry has all of them."""
        table: dict[tuple[str, str], Counter[str]] = {}
        without = 0
        for (task, label, split), number in self._cells.items():
            if label is None:
                without += number
            else:
                table.setdefault((task, label), Counter())[split] += number
        labels = [
            Label(task=task, label=personal.mask(label), rows=splits.total(), splits=dict(sorted(splits.items())))
            for (task, label), splits in table.items()
        ]
        shown = [item for item in labels if declared or item.rows >= LEAST]
        shown.sort(key=lambda item: (item.task, -item.rows, item.label))
        return Labels(
            labelled=sum(item.rows for item in labels),
            unlabelled=without,
            sources=sorted_counts(self._label_from.items()),
            labels=shown,
            rare_labels=len(labels) - len(shown),
            rare_rows=sum(item.rows for item in labels) - sum(item.rows for item in shown),
        )

    def text(self, tokenizer: str | None = None) -> Text:
        """Lengths, roles and scripts; `tokenizer` is the name of what counted the tokens."""
        return Text(
            turns=quantiles(self._turns),
            characters=quantiles(self._characters),
            tokens=quantiles(self._tokens) if self._count_tokens else None,
            tokenizer=tokenizer,
            roles=sorted_counts(self._roles.items()),
            scripts=sorted_counts(self._scripts.items()),
            language=language(self._scripts),
        )
