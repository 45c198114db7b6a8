"""Numbers that are gathered batch by batch: quantiles, counts by script, distinct values by hash."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from curate.card.facts import Quantiles

_RANGES: tuple[tuple[int, int, str], ...] = (
    (0x00, 0x20, "space"),
    (0x21, 0x2F, "mark"),
    (0x30, 0x39, "digit"),
    (0x3A, 0x40, "mark"),
    (0x41, 0x5A, "latin"),
    (0x5B, 0x60, "mark"),
    (0x61, 0x7A, "latin"),
    (0x7B, 0x7E, "mark"),
    (0xA0, 0xA0, "space"),
    (0xA1, 0xBF, "mark"),
    (0xC0, 0x24F, "latin"),
    (0x370, 0x1FFF, "letter"),
    (0x2000, 0x200A, "space"),
    (0x2010, 0x206F, "mark"),
    (0x3000, 0x3000, "space"),
    (0x3001, 0x303F, "mark"),
    (0x3041, 0x30FF, "kana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xAC00, 0xD7AF, "hangul"),
    (0xF900, 0xFAFF, "han"),
    (0xFF01, 0xFF0F, "mark"),
    (0xFF10, 0xFF19, "digit"),
    (0xFF1A, 0xFF20, "mark"),
    (0xFF21, 0xFF5A, "latin"),
    (0xFF5B, 0xFF65, "mark"),
    (0x20000, 0x3134F, "han"),
)
"""Blocks of Unicode 15.1 by kind, first and last code point; what lies between is `other`."""
_KINDS = ("other", *dict.fromkeys(kind for _, _, kind in _RANGES))
_STARTS = np.array([edge for first, last, _ in _RANGES for edge in (first, last + 1)], dtype=np.uint32)
_CODES = np.array([0, *(code for _, _, kind in _RANGES for code in (_KINDS.index(kind), 0))], dtype=np.int64)


def quantiles(chunks: Sequence[np.ndarray[Any, Any]]) -> Quantiles | None:
    """Tell how numbers are spread (linear interpolation), in 6 significant digits; None where there are none."""
    values = np.concatenate(chunks) if chunks else np.empty(0)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    p5, p50, p95 = np.percentile(values, (5, 50, 95))
    least, most, mean = values.min(), values.max(), values.mean(dtype=np.float64)
    told = [rounded(float(number)) for number in (mean, least, p5, p50, p95, most)]
    return Quantiles(n=int(values.size), **dict(zip(("mean", "least", "p5", "p50", "p95", "most"), told, strict=True)))


def rounded(value: float) -> float:
    """Six significant digits, so that a last bit does not change a file."""
    return float(f"{value:.6g}")


def share(part: int, whole: int) -> float:
    """A share, 0 where there is nothing to share."""
    return rounded(part / whole) if whole else 0.0


def scripts(texts: pa.Array) -> Counter[str]:
    """Count the characters of a column by kind."""
    joined = "".join(text for text in texts.to_pylist() if text)
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    counts = np.bincount(_CODES[np.searchsorted(_STARTS, points, side="right")], minlength=len(_KINDS))
    return Counter({kind: int(number) for kind, number in zip(_KINDS, counts, strict=True) if number})


def language(found: Counter[str]) -> str | None:
    """What scripts alone tell of the language; Latin letters tell nothing."""
    letters = sum(found[kind] for kind in ("han", "kana", "hangul", "latin", "letter"))
    if not letters:
        return None
    if found["kana"] > letters * 0.1:
        return "ja"
    if found["hangul"] > letters * 0.3:
        return "ko"
    return "zh" if found["han"] > letters * 0.3 else None


class Distinct:
    """Counts distinct values by 64-bit hashes: eight bytes a value, whatever its length."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def add(self, column: pa.Array) -> None:
        """Add the values of a column; null is none."""
        values = pc.unique(pc.drop_null(column)).cast(pa.string()).cast(pa.binary())
        self._seen.update(map(xxhash.xxh3_64_intdigest, values.to_pylist()))

    def __len__(self) -> int:
        return len(self._seen)


def counted(column: pa.Array, into: Counter[str], nothing: str | None = None) -> None:
    """Add the values of a column of texts to a count; null counts as `nothing`, or not at all."""
    for item in pc.value_counts(column).to_pylist():
        if item["values"] is not None or nothing is not None:
            into[nothing if item["values"] is None else str(item["values"])] += item["counts"]  # type: ignore[index]


def sorted_counts(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Counts by size, then by name, so that the same dataset is told of in the same order."""
    return dict(sorted(found, key=lambda item: (-item[1], item[0])))
