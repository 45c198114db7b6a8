"""What tests of the engine share: the toy registry, recipes, and the files of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import toys

from curate.pipeline import registry
from curate.pipeline.recipe import Recipe
from curate.pipeline.source import InputOptions


@pytest.fixture
def toy_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "stages", lambda: {"upper": toys.UpperStage, "rare": toys.RareStage})
    monkeypatch.setattr(registry, "exporters", dict)
    monkeypatch.setattr(registry, "OPEN_SOURCE", "toys:LinesSource")


def recipe(source: Path, **changes: object) -> Recipe:
    options = {"name": "toy", "stages": [toys.UpperOptions()], "workers": 2, "time_limit": 20.0, **changes}
    rows = options.pop("shard_rows", 16)
    return Recipe(input=InputOptions(path=source, shard_rows=rows), **options)  # type: ignore[arg-type]


def write(folder: Path, lines: list[str]) -> Path:
    path = folder / "lines.txt"
    path.write_text("\n".join(lines), "utf-8")
    return path


def files(out: Path) -> dict[str, bytes]:
    """All files of a run but `run.json`, which holds times."""
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and p.name != "run.json"
    }
