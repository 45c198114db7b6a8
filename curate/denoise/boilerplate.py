"""Lines that stand in pictures of every kind, learnt from the training split by document frequency."""

from __future__ import annotations

from collections import Counter, defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from curate.errors import UsageError
from curate.records import flatten

SURVEY = pa.schema([("text", pa.string()), ("label", pa.string()), ("documents", pa.int64()), ("of", pa.string())])
"""What one batch tells: `line` rows count the pictures in which a text stands, `pictures` rows all pictures with text;
`rows` and `train` count records."""

VERDICT = pa.schema([("text", pa.string()), ("documents", pa.int64()), ("share", pa.float64()), ("lift", pa.float64())])
"""What was learnt: each text, the pictures it stands in, their share, and how far it tells labels apart."""


def survey(table: pa.Table) -> pa.Table:
    """Count the lines of a batch of records, each once a picture; only records of the training split are looked at."""
    train = table.filter(pc.fill_null(pc.equal(table["split"], "train"), False))
    split = len(table) - table["split"].null_count
    counts: Counter[tuple[str, str | None, str]] = Counter({("", None, "rows"): len(table), ("", None, "split"): split})
    images, rows = flatten(train["images"])
    labels = train["label"].to_pylist()
    if len(images):
        for row, lines in zip(rows.tolist(), pc.struct_field(images, ["ocr", "lines"]).to_pylist(), strict=True):
            texts = {line["text"].strip() for line in lines or ()}
            if texts:
                counts["", labels[row], "pictures"] += 1
                counts.update((text, labels[row], "line") for text in texts)
    ordered = sorted(counts.items(), key=lambda item: (item[0][2], item[0][0], item[0][1] or ""))
    columns = zip(*[(text, label, documents, of) for (text, label, of), documents in ordered], strict=True)
    return pa.table([list(column) for column in columns], schema=SURVEY)


def decide(found: pa.Table, *, share: float, documents: int, lift: float) -> pa.Table:
    """Say which lines are boilerplate.

    Args:
        found: The surveys of all batches.
        share: A line must stand in this share of the training pictures with text …
        documents: … and in this many of them …
        lift: … and must not tell labels apart: no label may be more than this many times as frequent among pictures
            with the line as among all.

    Raises:
        UsageError: no record has a split, so that nothing can be learnt without looking at what is tested on.
    """
    rows = found.to_pylist()
    if any(row["of"] == "rows" and row["documents"] for row in rows) and not any(
        row["of"] == "split" and row["documents"] for row in rows
    ):
        raise UsageError(
            "the rule boilerplate learns from the training split, and no record has a split; "
            "put the stage split before denoise, or switch boilerplate off"
        )
    lines: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
    pictures: Counter[str | None] = Counter()
    for row in rows:
        if row["of"] == "line":
            lines[row["text"]][row["label"]] += row["documents"]
        elif row["of"] == "pictures":
            pictures[row["label"]] += row["documents"]
    total = pictures.total()
    learnt = []
    for text, labels in sorted(lines.items()):
        seen = labels.total()
        if seen < max(documents, share * total):
            continue
        most = max((count / seen) / (pictures[label] / total) for label, count in labels.items())
        if most <= lift:
            learnt.append({"text": text, "documents": seen, "share": seen / total, "lift": most})
    return pa.Table.from_pylist(learnt, schema=VERDICT)
