"""A cluster of Ray: joined or started, and how much room its nodes have."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any

from curate.errors import UsageError
from curate.pipeline.machine import processors
from curate.pipeline.ray_options import Resources


def nodes(ray: Any) -> list[Mapping[str, float]]:
    """What each living node has, by the name of the resource."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def room_for(ray: Any, needs: Resources) -> int:
    """Workers that fit on the nodes."""
    found = 0
    for node in nodes(ray):
        fit = int(node.get("CPU", 0) / needs.cpus)
        found += min(fit, int(node.get("GPU", 0) / needs.gpus)) if needs.gpus else fit
    return found


def connect(address: str | None) -> Any:
    """Join a cluster, or start Ray on this machine; it reports its use to nobody."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.exceptions
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise UsageError("the engine ray is not installed; install it with: pip install 'curate[ray]'") from error
    if threading.current_thread() is not threading.main_thread() and address is None:
        raise UsageError("Ray can be started from the main thread only; start a cluster, and name its address")
    quiet: dict[str, Any] = {
        "logging_level": logging.ERROR,
        "log_to_driver": False,
        "namespace": f"curate-{os.getpid()}",
    }
    if address is None:
        ray.init(num_cpus=processors(), include_dashboard=False, **quiet)
        return ray
    try:
        host, _, port = address.rpartition(":")
        if host:  # Ray itself would try for many minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"there is no Ray cluster at '{address}' ({error}); start one with: ray start --head"
        ) from error
    return ray
