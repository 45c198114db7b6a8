"""What this machine gives a run: processors, memory, and what a process uses of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MIB = 1 << 20


def processors() -> int:
    """Processors that this process may use: affinity and the container's quota counted in."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        if quota != "max":
            count = min(count, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no control group: nothing limits us but the affinity
    return max(1, count)


def available_memory() -> int | None:
    """Bytes of memory that can still be used; None where the system does not say."""
    found: list[int] = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        if limit != "max":
            found.append(int(limit) - int(Path("/sys/fs/cgroup/memory.current").read_text()) + _page_cache())
    except (OSError, ValueError):
        pass  # a file is missing on this system: what was found so far counts
    return min(found) if found else None


def _page_cache() -> int:
    """Bytes that the container counts as used although the system gives them back when they are needed."""
    for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "inactive_file":
            return int(value)
    return 0


def resident_memory(pid: int) -> int | None:
    """Bytes that a process holds in memory; None where the system does not say or the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def worker_memory_limit(workers: int) -> int | None:
    """Bytes that one worker may hold: nine tenths of what is free, shared out, but at least 1 GiB."""
    memory = available_memory()
    return None if memory is None else max(1024 * _MIB, int(memory * 0.9) // workers)


def free_disk(path: Path) -> int:
    """Free bytes on the disk of `path`, or of its nearest folder that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free
