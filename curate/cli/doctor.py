"""`curate doctor`: what this machine has, and what would have to be mended."""

from __future__ import annotations

import importlib.util
import locale
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from curate.cli.output import Output, common, whoever_reads


@dataclass
class Check:
    """One thing looked at; `fix` is the command that mends it."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    needed: bool = True
    """Whether the main job needs it."""


@click.command("doctor")
@common
def command(out: Output) -> int:
    """Check Python, packages, OCR models, fonts, memory, disk and encoding; exit 1 if something needed is missing.

    \b
    Examples:
      curate doctor
      curate doctor --json
    """
    checks = [check for group in (_python, _packages, _models, _font, _machine, _folders) for check in group()]
    with whoever_reads():
        _tell(out, checks)
    return 0 if all(check.ok or not check.needed for check in checks) else 1


def _tell(out: Output, checks: list[Check]) -> None:
    from rich.text import Text

    if out.as_json:
        out.json([asdict(check) for check in checks])
    for check in checks:
        mark, style = ("✓", "green") if check.ok else ("✗", "red") if check.needed else ("·", "yellow")
        out.print(Text.assemble((f"{mark} ", style), (f"{check.name:<24}", "bold"), check.found))
        if not check.ok and check.fix:
            out.print(Text(f"    {check.fix}", style="cyan"))


def _python() -> Iterator[Check]:
    yield Check("python", sys.version_info >= (3, 10), platform.python_version(), "curate needs Python 3.10 or newer")


def _packages() -> Iterator[Check]:
    from curate.cli.version import PACKAGES, installed

    for name in PACKAGES:
        found = installed(name)
        optional = name in ("openvino", "onnxruntime")
        yield Check(name, found is not None, found or "not installed", f"pip install {name}", needed=not optional)


def _models() -> Iterator[Check]:
    yield _try("ocr models", lambda: _ocr_models("rapidocr"), "pip install --force-reinstall rapidocr openvino")
    if importlib.util.find_spec("paddleocr") is not None:
        fix = "see `curate ocr --engine paddleocr`; a recipe can name a folder with model_dir"
        yield _try("paddleocr models", lambda: _ocr_models("paddleocr"), fix, needed=False)


def _ocr_models(engine: str) -> str:
    """What the stage `ocr` would read with; loads nothing.

    Raises:
        UsageError: a model is missing.
    """
    from curate.dataset.pictures import PictureStore
    from curate.ocr.stage import OcrOptions, OcrStage
    from curate.pipeline.stage import Context

    stage = OcrStage(OcrOptions(engine=engine), Context(PictureStore(None, Path())))
    return ", ".join(f"{key} {value}" for key, value in stage.environment().items())


def _try(name: str, look: Callable[[], str], fix: str, *, needed: bool = True) -> Check:
    try:
        return Check(name, True, look())
    except Exception as error:  # noqa: BLE001  whatever is wrong with a package is what the doctor is here to tell
        return Check(name, False, f"{type(error).__name__}: {error}", fix, needed)


def _font() -> Iterator[Check]:
    fix = "apt install fonts-noto-cjk (only pictures that curate draws need it)"
    lister = shutil.which("fc-list")
    if lister is None:
        yield Check("chinese font", False, "fc-list is not here to ask", fix, needed=False)
        return
    listing = subprocess.run(  # noqa: S603  a fixed question to fontconfig
        [lister, ":lang=zh", "family"], capture_output=True, text=True, check=False
    )
    names = listing.stdout.split("\n")
    yield Check("chinese font", bool(names[0]), names[0].split(",")[0] or "none", fix, needed=False)


def _machine() -> Iterator[Check]:
    from curate.pipeline.machine import available_memory, processors

    yield Check("processors", True, str(processors()))
    memory = available_memory()
    yield Check(
        "memory",
        memory is None or memory > 2 << 30,
        f"{memory / 1e9:.1f} GB free" if memory else "not told",
        "close something",
        False,
    )
    encoding = locale.getpreferredencoding(False)
    yield Check(
        "encoding", encoding.lower().replace("-", "") == "utf8", encoding, "export LC_ALL=C.UTF-8", needed=False
    )


def _folders() -> Iterator[Check]:
    from curate.dataset.remote import cache_folder
    from curate.pipeline.machine import free_disk

    for name, folder in (
        ("working folder", Path.cwd()),
        ("cache", cache_folder()),
        ("temporary files", Path(tempfile.gettempdir())),
    ):
        if folder is None:
            yield Check(name, True, "off (CURATE_CACHE=off)")
            continue
        there = folder
        while not there.exists():
            there = there.parent
        free = free_disk(folder)
        ok = os.access(there, os.W_OK) and free > 1 << 30
        yield Check(
            name, ok, f"{folder}, {free / 1e9:.0f} GB free", "free some space, or make it writable", name != "cache"
        )
