"""The run that faults are done to: the demo's records through six steps, with pictures made and a training set written."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "pipelines" / "demo"
RECIPE = f"""
name: faults
input: {{path: {DEMO / "train.json"}, images: {DEMO / "images"}, labels: mire, shard_rows: 4}}
stages:
  - {{use: ocr, engine: fake}}
  - {{use: denoise}}
  - {{use: dedup}}
  - {{use: augment-image, pipeline: trivial, verify: geometry}}
  - {{use: split, train: 0.8, val: 0.2}}
exports:
  - {{use: sharegpt, template: mire}}
max_failed: 20
"""


class Workload:
    """A recipe in a folder, and what a run of it that nobody disturbed leaves behind.

    Args:
        folder: Where everything is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recipe = folder / "faults.yaml"
        self.recipe.write_text(RECIPE, "utf-8")
        self.cache = folder / "cache"
        done = self.start(folder / "calm").wait()
        if done != 0:
            raise SystemExit((folder / "calm.log").read_text())
        self.calm = contents(folder / "calm")
        self.rows = rows(folder / "calm")

    def command(self, out: Path, *more: str) -> list[str]:
        """The command line of a run."""
        return [
            sys.executable,
            "-m",
            "curate.cli.main",
            "run",
            str(self.recipe),
            "-o",
            str(out),
            "--workers",
            "2",
            *more,
        ]

    def start(self, out: Path, *more: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a run; what it says goes to a file beside its folder."""
        told = {"PYTHONPATH": str(ROOT), "CURATE_CACHE": str(self.cache), **environment}
        with open(f"{out}.log", "ab") as log:
            return subprocess.Popen(
                self.command(out, *more),
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **told},
                start_new_session=True,
            )

    def finish(self, out: Path, *more: str) -> str:
        """Run to the end; say what is wrong, nothing where all is well."""
        code = self.start(out, *more).wait()
        if code != 0:
            return f"exit code {code}: {Path(f'{out}.log').read_text('utf-8', 'replace')[-400:]}"
        found = contents(out)
        differing = [name for name in sorted({*found, *self.calm}) if found.get(name) != self.calm.get(name)]
        if differing:
            return f"{len(differing)} files differ, the first is {differing[0]}"
        if rows(out) != self.rows:
            return "rows were lost"
        return ""


def contents(out: Path) -> dict[str, str]:
    """Hash of every file of a run but `run.json`, which holds times."""
    files = (path for path in sorted(out.rglob("*")) if path.is_file() and path.name != "run.json")
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(out: Path) -> Counter[str]:
    """How many rows stand where: by step and side."""
    found: Counter[str] = Counter()
    for path in sorted(out.glob("[0-9]*/*/*.parquet")):
        found["/".join(path.parts[-3:-1])] += pq.read_metadata(path).num_rows
    return found
