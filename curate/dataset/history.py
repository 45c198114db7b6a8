"""One record's life in a run, told from the ledgers and the shards."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.dataset.dataset import broken, steps
from curate.dataset.files import read_json
from curate.errors import InputError, UsageError

_SIDES = ("rows", "dropped", "failed")
_TOLD = ["action", "code", "metric", "value", "threshold", "related_uid", "detail"]


def lives(run: Path, wanted: str) -> list[dict[str, Any]]:
    """Tell what each step did to a record; to all of them where several have the same source id.

    Where a step cannot be read any more, `broken` says so: it and those after it are not in `steps`.

    Args:
        run: The run's folder.
        wanted: The record's uid or source id, or the beginning of one.

    Raises:
        UsageError: no record fits, or several that have different source ids do.
    """
    done = steps(run)
    if not done and (run / "run.json").exists() and not read_json(run / "run.json"):
        raise InputError(f"{run}/run.json cannot be read or is damaged; run the recipe of this run again")
    if not done:
        raise InputError(broken(run) or f"{run} holds no finished step of a run; run `curate ls` to see what there is")
    return [_life(run, done, uid, source_id) for uid, source_id in _identify(done, wanted).items()]


def _life(run: Path, done: list[Path], uid: str, source_id: str) -> dict[str, Any]:
    story: list[dict[str, Any]] = []
    before: list[str] | None = None
    manifest = read_json(run / "run.json") or {}
    for step in done:
        entries = [entry for file in _files(step / "ledger") for entry in _entries(file, uid)]
        for entry in entries:
            title = step.name.partition("-")[2]
            entry["limit_from"] = _limit_from(manifest, title, entry)
            entry["keep_with"] = _keep_with(manifest, title, entry)
        row, place = _find(step, uid)
        if row is None and not entries:
            continue
        after = [f"{turn['role']}: {turn['text']}" for turn in row["turns"]] if row and place == "rows" else None
        fate = {"dropped": "dropped", "failed": "failed"}.get(place or "") or _fate(entries)
        changed = _changed(before, after) if before is not None and after is not None else []
        story.append({"step": step.name, "fate": fate, "entries": entries, "turns": changed})
        before = after if after is not None else before
    life = {"uid": uid, "source_id": source_id, "steps": story, "exports": _exports(run, uid)}
    lost = broken(run)
    return {**life, "broken": lost} if lost else life


def _limit_from(manifest: dict[str, Any], title: str, entry: dict[str, Any]) -> str | None:
    """Where the limit that decided was said: a line of the recipe, what was typed, or that it is a default."""
    said_at, limit = manifest.get("said_at") or {}, entry["threshold"]
    if limit is None:
        return None
    for stage in (manifest.get("recipe") or {}).get("stages") or []:
        if (stage.get("name") or stage.get("use")) != title:
            continue
        for key, value in stage.items():
            if isinstance(value, dict) and value.get(entry["metric"]) == limit:
                return said_at.get(f"{title}.{key}.{entry['metric']}") or said_at.get(f"{title}.{key}")
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value == limit:
                return said_at.get(f"{title}.{key}") or f"the default of {key}"
    return said_at.get(title)


def _keep_with(manifest: dict[str, Any], title: str, entry: dict[str, Any]) -> str | None:
    """The option that lets a dropped record through: a limit of `min` or `max` at the record's own value."""
    if entry["action"] != "dropped" or entry["value"] is None:
        return None
    for stage in (manifest.get("recipe") or {}).get("stages") or []:
        if (stage.get("name") or stage.get("use")) == title:
            for key in ("min", "max"):
                limits = stage.get(key)
                if isinstance(limits, dict) and limits.get(entry["metric"]) == entry["threshold"]:
                    value = float(entry["value"])
                    shown = str(int(value)) if value.is_integer() else repr(value)
                    return f"stages.{title}.{key}.{entry['metric']}={shown}"
    return None


def _fate(entries: list[dict[str, Any]]) -> str:
    actions = {entry["action"] for entry in entries}
    return "added" if "added" in actions else "changed" if "changed" in actions else "kept"


def _identify(done: list[Path], wanted: str) -> dict[str, str]:
    """Find uids and their source ids; derived records have theirs in later steps, failed ones beside the rows."""
    begins = pc.or_kleene(
        pc.starts_with(pc.field("uid"), pattern=wanted), pc.starts_with(pc.field("source_id"), pattern=wanted)
    )
    found: dict[str, str] = {}
    for step in done:
        for file in itertools.chain.from_iterable(_files(step / side) for side in _SIDES):
            for row in pq.read_table(file, columns=["uid", "source_id"], filters=begins).to_pylist():
                found.setdefault(row["uid"], row["source_id"] or "")
    if not found:
        raise UsageError(f"no record of this run has a uid or source id that begins with '{wanted}'")
    if wanted in found:
        return {wanted: found[wanted]}
    exact = {uid: source_id for uid, source_id in found.items() if source_id == wanted}
    if exact or len(found) == 1 or (len(set(found.values())) == 1 and any(found.values())):
        return exact or found
    raise UsageError(f"{len(found)} records begin with '{wanted}'; give more of it, for example {next(iter(found))}")


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _entries(file: Path, uid: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(file, columns=_TOLD, filters=[("uid", "=", uid)]).to_pylist()
    return found


def _find(step: Path, uid: str) -> tuple[dict[str, Any] | None, str | None]:
    for side in _SIDES:
        for file in _files(step / side):
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
        found += [{"export": file.parent.name, **entry} for entry in _entries(file, uid)]
    return found
