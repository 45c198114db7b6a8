"""Runs every call that writes with its output on a disk that takes nothing; for tests, in a namespace of its own.

    unshare -rm python bad_disk.py read-only|full SERVER      # in the folder of a session

Prints a JSON list of call, exit code and what was said on stderr.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

from session import CALLS, elsewhere

from curate.cli.main import invoke


def main(kind: str, server: str) -> None:
    """Mount a small disk, make it useless, and call everything."""
    disk = Path("disk")
    disk.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=True)
    if kind == "read-only":
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    else:
        with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as stream:
            while stream.write(bytes(4096)):
                pass
    found = []
    for name in CALLS:
        typed = elsewhere(name, f"disk/{name.replace(' ', '')}", server)
        if typed is not None:
            said, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(err):
                code = invoke(typed)
            found.append((name, code, err.getvalue()))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
