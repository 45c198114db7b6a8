"""`curate version`: what is installed."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import click

from curate import __version__
from curate.cli.output import Output, common

PACKAGES = (
    "pyarrow",
    "pandas",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "rapidocr",
    "openvino",
    "onnxruntime",
    "jieba",
    "rjieba",
)


@click.command("version")
@common
def command(out: Output) -> None:
    """Print the versions of curate, Python and the packages that decide results.

    \b
    Examples:
      curate version
      curate version --json
    """
    found = {"curate": __version__, "python": platform.python_version(), **{name: installed(name) for name in PACKAGES}}
    if out.as_json:
        out.json(found)
        return
    for name, text in found.items():
        click.echo(f"{name:<25}{text or 'not installed'}")


def installed(package: str) -> str | None:
    """Version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
