"""A real vLLM server on this machine's processors, for as long as a test needs it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from conformance.environments import QUIET, Environment

ON_A_PROCESSOR = ("--dtype", "float32", "--enforce-eager", "--max-num-seqs", "8")
VARIABLES = {
    **QUIET,
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GB
    "TORCHDYNAMO_DISABLE": "1",  # else the first request with log-probabilities compiles C++ for half a minute
}
"""What a vLLM without a graphics card needs to start quickly."""


@contextmanager
def vllm(command: Sequence[str], url: str, environment: Mapping[str, str], seconds: float = 300) -> Iterator[str]:
    """Run a `vllm serve` command as it was printed, and what a processor needs; give its address when it answers.

    Raises:
        RuntimeError: it ended, or did not answer in time; the message holds the end of its output.
    """
    program = Environment("vllm").make().folder / "bin" / command[0]
    with tempfile.TemporaryDirectory() as home:
        log = Path(home) / "log"
        with open(log, "wb") as stream:
            server = subprocess.Popen(
                [program, *command[1:], *ON_A_PROCESSOR],
                env={**os.environ, **VARIABLES, **environment, "HF_HOME": home, "VLLM_CACHE_ROOT": home},
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(server, url, seconds, log)
            yield url
        finally:
            _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server with all the processes that it started."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(30)
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _wait(server: subprocess.Popen[bytes], url: str, seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"vLLM is not there after {seconds:.0f} s:\n{log.read_text('utf-8', 'replace')[-4000:]}")
