"""What a run tells of itself, gathered from its folder as plain data: the flow of rows, reasons, rows that went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from curate.dataset.dataset import Dataset, steps
from curate.dataset.files import read_json
from curate.errors import InputError
from curate.report.redaction import Fields
from curate.report.sides import picture_facts, turns_facts

OF_A_CODE = 5
"""Rows of one reason that are shown."""
_COUNTS = ("rows_in", "kept", "dropped", "failed", "changed", "added", "rows_out")

FIELDS = Fields(
    texts=frozenset({"text", "detail"}),
    values=frozenset({"label"}),
    names=frozenset({"uid", "source_id", "path"}),
)
"""Where text of the dataset stands in these facts."""


def run_facts(run: Path) -> dict[str, Any]:
    """Gather everything that the page of a run shows, before redaction.

    Raises:
        InputError: the folder holds no run, or none with a finished step.
    """
    manifest: Any = read_json(run / "run.json")
    if not isinstance(manifest, dict) or not manifest.get("recipe"):
        raise InputError(f"{run} is not a run of curate; `curate ls` lists the runs below work/")
    done = steps(run)
    if not done:
        raise InputError(f"{run} is a run without a finished step yet")
    flow = [_step(folder) for folder in done]
    first: Any = read_json(done[0] / "stage.json")
    result = Dataset.open(run)
    return {
        "name": str(manifest["recipe"].get("name", run.name)),
        "description": str(manifest["recipe"].get("description", "")),
        "status": str(manifest.get("status", "")),
        "curate": str(manifest.get("curate", "")),
        "versions": dict(manifest.get("versions") or {}),
        "input": {key: str(value) for key, value in (manifest.get("input") or {}).items()},
        "steps": flow,
        "rows_in": flow[0]["rows_in"],
        "rows_out": flow[-1]["rows_out"],
        "gone": sum(step["dropped"] + step["failed"] for step in flow),
        "added": sum(step["added"] for step in flow),
        "declared": bool(first["signature"].get("labels")),
        "labels": _labels(result),
        "exports": _exports(manifest),
        "rows": [row for folder in done for row in _gone(folder)],
    }


def _step(folder: Path) -> dict[str, Any]:
    """Counts of one step, and rows by action and code, commonest first."""
    manifest: Any = read_json(folder / "stage.json")
    counts = manifest["counts"]
    codes = [
        {"action": action, "code": code, "rows": rows}
        for action in ("failed", "dropped", "added", "changed", "noted")
        for code, rows in sorted(counts["codes"].get(action, {}).items(), key=lambda item: (-item[1], item[0]))
    ]
    told = {name: counts[name] for name in _COUNTS}
    return {"name": _title(folder), "use": str(manifest["signature"].get("stage", "")), "codes": codes, **told}


def _title(folder: Path) -> str:
    return folder.name.partition("-")[2]


def _labels(data: Dataset) -> list[dict[str, Any]]:
    """Rows of the result by label and split, commonest first."""
    rows: Counter[tuple[str | None, str | None]] = Counter()
    for batch in data.iter_batches(["label", "split"]):
        rows.update(zip(batch["label"].to_pylist(), batch["split"].to_pylist(), strict=True))
    table: dict[str | None, Counter[str]] = {}
    for (label, split), number in rows.items():
        table.setdefault(label, Counter())[split or ""] += number
    ordered = sorted(table.items(), key=lambda item: (-item[1].total(), item[0] or ""))
    return [{"label": label, "rows": splits.total(), "splits": dict(splits)} for label, splits in ordered]


def _exports(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {name: export.get(name) for name in ("title", "folder", "rows", "files", "left_out")}
        for export in manifest.get("exports") or []
    ]


def _gone(folder: Path) -> Iterator[dict[str, Any]]:
    """Rows that a step dropped or that failed in it: of each code the first few by uid."""
    manifest: Any = read_json(folder / "stage.json")
    use = str(manifest["signature"].get("stage", ""))
    for side, action in (("failed", "failed"), ("dropped", "dropped")):
        chosen: dict[str, list[dict[str, Any]]] = {}
        for file in sorted((folder / "ledger").glob("part-*.parquet")):
            for entry in pq.read_table(file, filters=[("action", "=", action)]).to_pylist():
                rows = chosen.setdefault(entry["code"], [])
                rows.append(entry)
                rows.sort(key=lambda one: str(one["uid"]))
                del rows[OF_A_CODE:]
        entries = [entry for code in sorted(chosen) for entry in chosen[code]]
        whole = _whole(folder / side, {entry["uid"] for entry in entries})
        for entry in entries:
            yield {"use": use, **_row(_title(folder), action, entry, whole.get(entry["uid"], {}))}


def _whole(folder: Path, uids: set[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("part-*.parquet")):
        for row in pq.read_table(file, filters=[("uid", "in", sorted(uids))]).to_pylist() if uids else []:
            found[row["uid"]] = row
    return found


def _row(step: str, action: str, entry: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uid": entry["uid"],
        "source_id": row.get("source_id"),
        "status": action,
        "stage": step,
        "code": entry["code"],
        **{name: entry[name] for name in ("metric", "value", "threshold")},
        "detail": entry["detail"],
        "task": row.get("task"),
        "label": row.get("label"),
        "turns": turns_facts(row.get("turns") or []),
        "images": [picture_facts(image) for image in row.get("images") or []],
    }
