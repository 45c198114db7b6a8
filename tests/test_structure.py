"""How the house is built: imports run one way, and every option that can be said is looked at."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import curate
from curate.pipeline import registry
from curate.pipeline.options import StepOptions
from curate.pipeline.recipe import Recipe

ROOT = Path(curate.__file__).parent
FLOORS = (
    {"errors"},
    {"records"},
    {"dataset"},
    {"pipeline", "labels", "report"},
    {"ocr", "denoise", "augment", "select", "export", "infer", "ingest", "evaluate", "diff", "card", "api"},
    {"cli"},
)
"""From the bottom: a package may import packages of floors below its own, and none of its own floor."""


def imported(path: Path) -> set[str]:
    """The packages of curate that a file imports, also inside functions and for types."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(
                [f"{node.module}.{name.name}" for name in node.names] if node.module == "curate" else [node.module]
            )
    return {name.split(".")[1] for name in found if name.startswith("curate.")}


def floor_of(package: str) -> int | None:
    return next((number for number, floor in enumerate(FLOORS) if package in floor), None)


PACKAGES = sorted(path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py")


@pytest.mark.parametrize("package", [name for name in PACKAGES if floor_of(name) is not None])
def test_imports_run_down_only(package: str) -> None:
    """Two stage packages that import each other cannot be understood, tested or taken out alone."""
    place = ROOT / package
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    up = {
        f"{file.relative_to(ROOT)} imports {other}"
        for file in files
        for other in imported(file) - {package}
        if (floor := floor_of(other)) is not None and floor >= (floor_of(package) or 0)
    }
    assert up == set()


def test_every_package_has_a_floor() -> None:
    """A new package that nobody placed would be held to no rule."""
    left = {name for name in PACKAGES if floor_of(name) is None}
    assert left <= {"__init__", "__main__", "__pycache__", "py", "pipelines"}


def option_classes() -> Iterator[type[StepOptions]]:
    """The options of all stages and exports, and the classes that these are built on."""
    for known in (registry.stages(), registry.exporters()):
        for name in known:
            for one in known[name].Options.__mro__:
                if issubclass(one, StepOptions) and one.__module__.startswith("curate."):
                    yield one


def options_read(tree: ast.AST) -> set[str]:
    """Names that are looked up on something called `options`, or that a class of options looks up on itself."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2] in {"options", "_options"}
    }


def own_reads(options: type[StepOptions]) -> set[str]:
    """Names that methods of a class of options look up on itself; validators do nothing with what they look at."""
    tree = ast.parse(inspect.getsource(options))
    return {
        node.attr
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and not any("validator" in ast.unparse(one) for one in function.decorator_list)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
    }


@pytest.mark.parametrize("options", sorted(set(option_classes()), key=lambda one: one.__qualname__))
def test_every_option_is_read(options: type[StepOptions]) -> None:
    """An option that is accepted and ignored lets a user believe in something that does not happen."""
    folder = Path(inspect.getfile(options)).parent
    read = own_reads(options)
    for path in folder.rglob("*.py"):
        read |= options_read(ast.parse(path.read_text("utf-8")))
    by_the_engine = {"use", "name"}
    assert set(inspect.get_annotations(options)) & set(options.model_fields) - by_the_engine - read == set()


def test_every_key_of_a_recipe_is_read() -> None:
    """As for options: a key that nothing looks at promises what no run does."""
    read: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2] in {"recipe", "self"}:
                read.add(node.attr)
    by_name = {*registry.AFTERWARDS, "description"}  # looked up as keys of a table and of run.json
    assert set(Recipe.model_fields) - by_name - read == set()
