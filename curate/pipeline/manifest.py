"""A step's manifest (`stage.json`): what it was made from and what it holds; nothing in it depends on time or place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.dataset.files import content_hash, read_json, write_json
from curate.dataset.shards import part_name
from curate.pipeline.outcome import Counts
from curate.pipeline.shard import SIDES, ShardInfo

FILE = "stage.json"


@dataclass
class Manifest:
    """What a finished step says of itself."""

    signature: dict[str, Any]
    """Stage, version, options, environment, seed."""
    inputs: list[str]
    """Hashes of what came in, in order: shards, or for ingest the source and its pictures."""
    shards: list[ShardInfo]
    extra: dict[str, Any] = field(default_factory=dict)
    """What else the step has to remember: the verdict's hash, the layout of the source, hashes of other files."""

    @property
    def counts(self) -> Counts:
        """The counts of all shards together."""
        total = Counts()
        for shard in self.shards:
            total.add(shard.counts)
        return total

    @property
    def tally(self) -> dict[str, int]:
        """What the stage told of its work in this run; empty where nothing was done in it."""
        total: Counter[str] = Counter()
        for shard in self.shards:
            total.update(shard.tally)
        return dict(total)

    @property
    def outputs(self) -> list[str]:
        """Hashes of the shards, in order: the next step's inputs."""
        return [shard.hash for shard in self.shards]

    def write(self, folder: Path) -> None:
        """Write `stage.json`; from now on the step counts as finished."""
        value = {
            "signature": self.signature,
            "inputs": self.inputs,
            "extra": self.extra,
            "counts": self.counts.as_dict(),
            "shards": [shard.as_dict() for shard in self.shards],
        }
        write_json(folder / FILE, value)

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """Read `stage.json`; None where the step was never finished, or the file is not what we wrote."""
        value: Any = read_json(folder / FILE)
        try:
            shards = [ShardInfo.from_dict(index, shard) for index, shard in enumerate(value["shards"])]
            return cls(dict(value["signature"]), list(value["inputs"]), shards, dict(value["extra"]))
        except (KeyError, TypeError, ValueError):
            return None

    def damage(self, folder: Path) -> str | None:
        """Name the first file that is not what this manifest says, or does not belong there; None where all is well."""
        wanted = {folder / "rows" / part_name(shard.index): shard.hash for shard in self.shards}
        for shard in self.shards:
            wanted.update({folder / side / part_name(shard.index): value for side, value in shard.sides.items()})
        for side in ("rows", *SIDES):
            for path in sorted((folder / side).glob("*")):
                if path not in wanted:
                    return f"{path.relative_to(folder)} does not belong there"
        wanted.update(self._beside(folder))
        with ThreadPoolExecutor(4) as threads:
            for (path, value), found in zip(wanted.items(), threads.map(_hash_or_none, wanted), strict=True):
                if found != value:
                    what = "is missing" if found is None else "is damaged"
                    return f"{path.relative_to(folder)} {what}"
        return None

    def _beside(self, folder: Path) -> dict[Path, str]:
        """Files of the step that are no shards, and their hashes."""
        return {folder / name: value for name, value in self.extra.get("files", {}).items()}

    def remove_damaged(self, folder: Path) -> None:
        """Take away files beside the shards that are not what they were, so that nobody goes on with them."""
        for path, value in self._beside(folder).items():
            if _hash_or_none(path) != value:
                path.unlink(missing_ok=True)

    def other_limits(self, limits: str) -> str | None:
        """Say that rows failed under limits that are not today's; None where none did."""
        for shard in self.shards:
            if shard.limits not in (None, limits):
                return f"rows failed under other limits ({shard.limits})"
        return None


def _hash_or_none(path: Path) -> str | None:
    try:
        return content_hash(path)
    except OSError:
        return None


def why_not(
    manifest: Manifest | None,
    signature: Mapping[str, Any],
    inputs: Sequence[str] | None,
    folder: Path,
    limits: str = "",
) -> str | None:
    """Say why a step must run (again); None where its result can be used as it stands.

    Args:
        manifest: What the step says of itself; None where it never finished.
        signature: What decides its output now.
        inputs: What comes in now; None where that is not known yet because the step before runs again.
        folder: The step's folder.
        limits: The limits of the run.
    """
    if manifest is None:
        return "it was not finished" if (folder / "rows").is_dir() else "it has not run yet"
    changed = _differences(manifest.signature, signature)
    if changed:
        return changed
    if inputs is None:
        return "the step before it runs again"
    if manifest.inputs != list(inputs):
        if len(manifest.inputs) != len(inputs):
            return "its input changed"
        different = sum(one != other for one, other in zip(manifest.inputs, inputs, strict=True))
        return f"{different} of {len(inputs)} inputs changed"
    return manifest.other_limits(limits) or manifest.damage(folder)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> str | None:
    found: list[str] = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found.append(_differences(old, new, f"{prefix}{key}.") or "")
        else:
            found.append(f"{prefix}{key} changed: {_short(old)} → {_short(new)}")
    return ", ".join(found) or None


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
