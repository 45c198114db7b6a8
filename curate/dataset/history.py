"""One record's life in a run, told from the ledgers and the shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.dataset.dataset import Dataset, steps
from curate.errors import InputError, UsageError

_TOLD = ["action", "code", "metric", "value", "threshold", "related_uid", "detail"]


def life(run: Path, wanted: str) -> dict[str, Any]:
    """Tell what each step did to a record.

    Args:
        run: The run's folder.
        wanted: The record's uid or source id, or the beginning of one.

    Raises:
        UsageError: no record fits, or several do.
    """
    done = steps(run)
    if not done:
        raise InputError(f"{run} holds no finished step of a run; run `curate ls` to see what there is")
    uid, source_id = _identify(done, wanted)
    story: list[dict[str, Any]] = []
    before: list[str] | None = None
    for step in done:
        data = Dataset.open(step)
        entries = _entries(data.ledger(), uid)
        row, place = _find(step, uid)
        if row is None and not entries:
            continue
        after = [f"{turn['role']}: {turn['text']}" for turn in row["turns"]] if row and place == "rows" else None
        fate = {"dropped": "dropped", "failed": "failed"}.get(place or "") or _fate(entries)
        changed = _changed(before, after) if before is not None and after is not None else []
        story.append({"step": step.name, "fate": fate, "entries": entries, "turns": changed})
        before = after if after is not None else before
    return {"uid": uid, "source_id": source_id, "steps": story, "exports": _exports(run, uid)}


def _fate(entries: list[dict[str, Any]]) -> str:
    actions = {entry["action"] for entry in entries}
    return "added" if "added" in actions else "changed" if "changed" in actions else "kept"


def _identify(done: list[Path], wanted: str) -> tuple[str, str]:
    """Find uid and source id; derived records have theirs in later steps, failed ones beside the rows."""
    found: dict[str, str] = {}
    for step in done:
        for side in ("rows", "failed", "dropped"):
            for file in sorted((step / side).glob("part-*.parquet")):
                table = pq.read_table(file, columns=["uid", "source_id"])
                match = pc.or_kleene(pc.starts_with(table["uid"], wanted), pc.starts_with(table["source_id"], wanted))
                hits = table.filter(match).to_pylist()
                exact = [row for row in hits if wanted in (row["uid"], row["source_id"])]
                if exact:
                    return exact[0]["uid"], exact[0]["source_id"] or ""
                found.update({row["uid"]: row["source_id"] or "" for row in hits})
    if len(found) == 1:
        return next(iter(found.items()))
    if not found:
        raise UsageError(f"no record of this run has a uid or source id that begins with '{wanted}'")
    raise UsageError(f"{len(found)} records begin with '{wanted}'; give more of it, for example {next(iter(found))}")


def _entries(ledger: pa.Table, uid: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ledger.filter(pc.equal(ledger["uid"], uid)).select(_TOLD).to_pylist()
    return found


def _find(step: Path, uid: str) -> tuple[dict[str, Any] | None, str | None]:
    for side in ("rows", "dropped", "failed"):
        for file in sorted((step / side).glob("part-*.parquet")):
            rows = pq.read_table(file, columns=["uid", "turns"], filters=[("uid", "=", uid)]).to_pylist()
            if rows:
                return rows[0], side
    return None, None


def _changed(before: list[str], after: list[str]) -> list[dict[str, str | None]]:
    """The turns that differ: gone ones, then new ones, in the order of the dialogue."""
    from rapidfuzz.distance import Indel

    changes: list[dict[str, str | None]] = []
    gone: list[dict[str, str | None]] = []
    new: list[dict[str, str | None]] = []
    for edit in Indel.opcodes(before, after):
        if edit.tag == "equal":
            changes += gone + new
            gone, new = [], []
        elif edit.tag == "delete":
            gone += [{"before": text, "after": None} for text in before[edit.src_start : edit.src_end]]
        else:
            new += [{"before": None, "after": text} for text in after[edit.dest_start : edit.dest_end]]
    return changes + gone + new


def _exports(run: Path, uid: str) -> list[dict[str, Any]]:
    found = []
    for file in sorted((run / "exports").glob("*/ledger.parquet")):
        table = pq.read_table(file)
        found += [{"export": file.parent.name, **entry} for entry in _entries(table, uid)]
    return found
