"""What the ledger of a run says: how rows flowed through its stages, and why which ones went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from curate.dataset.dataset import steps
from curate.diff.drift import rounded
from curate.diff.flow import CodeCount, LimitHistogram, RemovedBy, StageFlow
from curate.diff.sample import Reason
from curate.diff.table import Table
from curate.diff.tally import share
from curate.errors import InputError
from curate.pipeline.manifest import Manifest

NEAR = 0.02
"""Share of the range of a metric within which a value is near the limit."""
_BARS = 20
_ENTRIES = ["uid", "action", "code", "metric", "value", "threshold", "related_uid", "detail"]
_ORDER = ("dropped", "failed", "added", "changed", "noted")


def steps_between(a: Table, b: Table) -> list[Path]:
    """The steps of B's run that lie between the two tables; all of them where A is no earlier step of that run."""
    if b.run is None or b.step is None:
        return []
    there = steps(b.run)
    first = a.next_step if a.run is not None and a.run.resolve() == b.run.resolve() else 0
    return there[first : b.next_step] if first < b.next_step else []


def flows(found: Sequence[Path]) -> tuple[StageFlow, ...]:
    """Rows through each step.

    Raises:
        InputError: a step's manifest cannot be read.
    """
    return tuple(_flow(step) for step in found)


def _flow(step: Path) -> StageFlow:
    manifest = Manifest.read(step)
    if manifest is None:
        raise InputError(f"{step}/stage.json cannot be read or is damaged; run the recipe of this run again")
    counts, signature = manifest.counts, manifest.signature
    codes = [
        CodeCount(action=action, code=code, rows=rows)  # type: ignore[arg-type]
        for action in _ORDER
        for code, rows in sorted(counts.codes.get(action, {}).items(), key=lambda item: (-item[1], item[0]))
    ]
    gone = [one for one in codes if one.action in ("dropped", "failed")]
    name = step.name.partition("-")[2]
    return StageFlow(
        name=name,
        use=str(signature.get("stage") or name),
        rows_in=counts.rows_in,
        rows_out=counts.rows_out,
        dropped=counts.dropped,
        changed=counts.changed,
        added=counts.added,
        failed=counts.failed,
        codes=tuple(codes),
        top_reason=_top_reason(step, gone),
        version=signature.get("version") if isinstance(signature.get("version"), int) else None,
    )


def _top_reason(step: Path, gone: Sequence[CodeCount]) -> str | None:
    """The commonest reason why rows went, with its limit where it has one."""
    if not gone:
        return None
    top = max(gone, key=lambda one: one.rows)
    entries = _entries([step]).filter(pl.col("code") == top.code, pl.col("value").is_not_null()).collect()
    limits = entries.filter(pl.col("threshold").is_not_null())
    if not len(limits) or limits["threshold"].n_unique() > 1:
        others = len(gone) - 1
        return f"{top.code} {top.rows:,}" + (f" and {others} other{'' if others == 1 else 's'}" if others else "")
    histogram = limit_histogram(str(limits["metric"][0]), limits["value"].to_numpy(), float(limits["threshold"][0]))
    sign = "<" if float(limits["value"].to_numpy().mean()) < histogram.threshold else ">"
    near = f"  ({histogram.near:,} of {len(limits):,} near the limit)" if histogram.near else ""
    return f"{top.code} {top.rows:,}: {histogram.metric} {sign} {histogram.threshold:g}{near}"


def _entries(found: Sequence[Path]) -> pl.LazyFrame:
    """All entries of the ledgers of some steps, with the step's name."""
    parts = [
        pl.scan_parquet(files, glob=False).select(*_ENTRIES, pl.lit(step.name.partition("-")[2]).alias("stage"))
        for step in found
        if (files := sorted((step / "ledger").glob("part-*.parquet")))
    ]
    if parts:
        return pl.concat(parts)
    texts = dict.fromkeys(["uid", "action", "code", "metric", "related_uid", "detail", "stage"], pl.String)
    return pl.LazyFrame(schema={**texts, "value": pl.Float64, "threshold": pl.Float64})


def explain_removed(found: Sequence[Path], removed: pl.Series) -> tuple[tuple[RemovedBy, ...], int, int]:
    """Say who took rows out.

    Args:
        found: The steps between A and B.
        removed: uids of the rows of A that are not in B.

    Returns:
        The reasons, commonest first; rows without a word in the ledger; and rows that failed.
    """
    wanted = pl.DataFrame({"uid": removed.cast(pl.String)})
    entries = _entries(found).filter(pl.col("action").is_in(["dropped", "failed"])).join(wanted.lazy(), "uid", "semi")
    told = entries.collect().unique("uid", keep="last", maintain_order=True)
    total = len(removed)
    reasons = []
    for group in told.partition_by("stage", "action", "code", "metric", "threshold", maintain_order=True):
        first: dict[str, Any] = group.row(0, named=True)
        values = group["value"].drop_nulls().to_numpy()
        histogram = None
        if first["metric"] and first["threshold"] is not None and len(values):
            histogram = limit_histogram(first["metric"], values, first["threshold"])
        reasons.append(
            RemovedBy(
                stage=first["stage"],
                action=first["action"],
                code=first["code"],
                rows=len(group),
                share=share(len(group), total),
                metric=first["metric"],
                threshold=first["threshold"],
                near_threshold_rows=histogram.near if histogram else 0,
                histogram=histogram,
            )
        )
    unexplained = total - len(told)
    if unexplained:
        reasons.append(RemovedBy(stage=None, code=None, rows=unexplained, share=share(unexplained, total)))
    reasons.sort(key=lambda one: (-one.rows, one.stage or "", one.code or ""))
    return tuple(reasons), unexplained, int((told["action"] == "failed").sum())


def limit_histogram(metric: str, values: Any, threshold: float) -> LimitHistogram:
    """Count the values that a limit took out on bins that reach to the limit."""
    low, high = min(float(values.min()), threshold), max(float(values.max()), threshold)
    within = NEAR * (high - low)
    edges = np.linspace(low, high if high > low else low + 1, min(_BARS, max(4, len(values))) + 1)
    counts = np.histogram(values, edges)[0]
    return LimitHistogram(
        metric=metric,
        threshold=threshold,
        edges=tuple(rounded(float(edge)) for edge in edges),
        counts=tuple(counts.tolist()),
        near=int((np.abs(values - threshold) <= within).sum()),
        near_within=rounded(within),
    )


def reasons_of(found: Sequence[Path], uids: Sequence[str]) -> dict[str, tuple[Reason, ...]]:
    """Everything that the ledgers say about some rows, in the order of the steps."""
    told: dict[str, list[Reason]] = defaultdict(list)
    wanted = pl.LazyFrame({"uid": list(uids)}, schema={"uid": pl.String})
    for row in _entries(found).join(wanted, "uid", "semi", maintain_order="left").collect().iter_rows(named=True):
        told[row["uid"]].append(
            Reason(
                stage=row["stage"],
                action=row["action"],
                code=row["code"],
                metric=row["metric"],
                value=row["value"],
                threshold=row["threshold"],
                related=row["related_uid"],
                detail=row["detail"],
            )
        )
    return {uid: tuple(reasons) for uid, reasons in told.items()}
