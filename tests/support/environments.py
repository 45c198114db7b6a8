"""Virtual environments for programs that are compared with or must read what curate writes; made once and kept.

They lie outside the tree, under CURATE_CONFORMANCE or ~/.cache/curate-conformance, each in a folder named by what is
installed in it, so that another pin makes another one.
"""

from __future__ import annotations

import configparser
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def cache_folder() -> Path:
    """Where the environments are kept."""
    return Path(os.environ.get("CURATE_CONFORMANCE", Path.home() / ".cache" / "curate-conformance"))


def environment(name: str, pins: Sequence[str]) -> Path:
    """Make an environment, or find it made; give its Python.

    Args:
        name: For people.
        pins: Requirements as pip takes them.
    """
    identity = "\n".join([sys.version, *pins])
    folder = cache_folder() / f"{name}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--upgrade", "pip"], check=True)
            subprocess.run([*pip, *pins], check=True)
            (folder / "complete").touch()
    return folder / "bin" / "python"


def own_requirements() -> list[str]:
    """What curate itself needs, so that an environment can run this checkout from PYTHONPATH."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    return setup["options"]["install_requires"].split("\n")[1:]
