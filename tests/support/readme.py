"""The README's commands and the output shown behind them: run, compare, and write anew.

    python tests/support/readme.py      # writes the outputs of this machine into README.md and the picture

A block of `console` holds commands, each behind `$ `; a block of `text` right behind it holds what the last of
them prints. Durations, rates and free space differ from run to run and are not compared.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
PICTURE = ROOT / ".readme" / "demo.svg"
COLUMNS = "100"

_BLOCK = re.compile(r"```console\n(?P<commands>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL)
_VARIES = re.compile(
    r"\d+(?:\.\d+)? (?:s|min|h|GB)\b(?: \d+ s)?"  # durations and free space
    r"|\bat most [\d,]+ of|\blines \d+|status-bar(?: \(hits \d+\)| \d+)"  # what other arithmetic reads otherwise
    r"|reads with [^\n]*"
    r"|[\d,]+ pictures read|[\d,]+ pictures cached"  # what other tests have read already
    r"|engine rapidocr(?:.|\n)*?(?=\n  denoise)"  # the execution provider of this machine
)


@dataclass
class Example:
    """Commands of one block, and the output that the README shows for the last of them (None: none)."""

    commands: list[str]
    output: str | None


def examples(text: str) -> list[Example]:
    """All console blocks of the README."""
    found = []
    for match in _BLOCK.finditer(text):
        commands = [line.removeprefix("$ ") for line in match["commands"].splitlines() if line.startswith("$ ")]
        found.append(Example(commands, match["output"]))
    return found


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder as a shell would, with `curate` on the path."""
    tool = folder / ".bin" / "curate"
    if not tool.exists():
        tool.parent.mkdir()
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m curate.cli.main "$@"\n')
        tool.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "COLUMNS": COLUMNS,
        "PYTHONUNBUFFERED": "1",
        "CURATE_CACHE": os.environ.get("CURATE_CACHE", str(folder / ".cache")),
    }
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )


def shown(done: subprocess.CompletedProcess[str]) -> str:
    """What a person sees, without blanks at line ends and signs of life."""
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    heartbeat = re.compile(r"^\w+ [\d,]+/[\d,]+ ")
    kept = [line for line in lines if not heartbeat.match(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n") + "\n"


def comparable(output: str) -> str:
    """Output without what differs from run to run."""
    return re.sub(r" +", " ", _VARIES.sub("#", output))


def write(text: str, folder: Path) -> str:
    """Run all commands; give the README with their real outputs."""

    def replace(match: re.Match[str]) -> str:
        commands = [line.removeprefix("$ ") for line in match["commands"].splitlines()]
        results = [run(command, folder) for command in commands]
        if any(done.returncode for done in results):
            raise SystemExit(f"a command of {commands} failed:\n{results[-1].stdout}")
        if match["output"] is None:
            return match.group()
        return f"```console\n{match['commands']}```\n\n```text\n{shown(results[-1])}```\n"

    return _BLOCK.sub(replace, text)


def draw(folder: Path) -> None:
    """Draw what a terminal shows of `curate run demo`."""
    from rich.console import Console
    from rich.text import Text

    for name in ("work", "data_cards"):  # as for somebody who runs it for the first time
        shutil.rmtree(folder / name, ignore_errors=True)
    command = "stty cols 100 rows 60; echo '$ curate run demo'; CI=1 CURATE_CACHE=off curate run demo"
    done = run(f'script -qec "{command}" /dev/null', folder)
    lines = [line for line in done.stdout.replace("\r", "").splitlines() if not re.match(r"^\w+ [\d,]+/[\d,]+ ", line)]
    console = Console(record=True, width=100, file=open(os.devnull, "w", encoding="utf-8"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi("\n".join(lines)))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(console.export_svg(title="curate run demo"), "utf-8")


def main() -> None:
    """Write README.md and the picture anew."""
    folder = Path(tempfile.mkdtemp())
    try:
        README.write_text(write(README.read_text("utf-8"), folder), "utf-8")
        draw(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
