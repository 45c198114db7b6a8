"""The engine `ray`: the same bytes as on this machine, whatever dies on the way."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import toys
from engine_support import files, recipe, toy_registry, write  # noqa: F401  the fixture is used by name

from curate.errors import UsageError
from curate.pipeline.ray_options import RayOptions, Resources
from curate.pipeline.run import run

INSTALLED = importlib.util.find_spec("ray") is not None
pytestmark = [
    pytest.mark.usefixtures("toy_registry"),
    pytest.mark.skipif(not INSTALLED, reason="the extra ray is not installed; CI installs it"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head of one processor; a test may add nodes, which are processes of their own."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(toys.__file__).parent), *([before] if before else [])])
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield made
    made.shutdown()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def on_ray(cluster: Any, **resources: float) -> dict[str, object]:
    """What a recipe says to run on the cluster."""
    needs = {"upper": Resources(**resources)} if resources else {}
    return {"engine": "ray", "workers": "auto", "ray": RayOptions(address=cluster.address, resources=needs)}


def soon(wanted: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    """Do something as soon as something is so."""

    def wait() -> None:
        for _ in range(1200):
            if wanted():
                act()
                return
            time.sleep(0.05)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def shards(out: Path) -> int:
    return len(list((out / "01-upper" / "rows").glob("*.parquet")))


@pytest.mark.slow
@pytest.mark.parametrize("word", ["crash", "raise", "hang", "eat"])
def test_one_bad_row_costs_itself_alone_and_the_bytes_are_the_same(tmp_path: Path, cluster: Any, word: str) -> None:
    """A picture that crashes native code on a cluster must not cost the block that it lies in."""
    lines = [f"line {number}" for number in range(60)]
    lines[33] = word
    source = write(tmp_path, lines)
    limits: dict[str, Any] = {"time_limit": 4.0 if word == "hang" else 60.0, "memory_limit": 700}
    run(recipe(source, **limits), tmp_path / "local")
    result = run(recipe(source, **limits, **on_ray(cluster)), tmp_path / "ray")
    assert sum(result.steps[1].counts.codes["failed"].values()) == 1
    assert files(tmp_path / "ray") == files(tmp_path / "local")


@pytest.mark.slow
def test_a_stage_that_surveys_runs_too(tmp_path: Path, cluster: Any) -> None:
    """What must see the whole dataset first is decided where the run is, from what the nodes counted."""
    source = write(tmp_path, ["a", "b", "a", "c"] * 5)
    stages = [toys.RareOptions(), toys.UpperOptions()]
    run(recipe(source, stages=stages, shard_rows=3), tmp_path / "local")
    run(recipe(source, stages=stages, shard_rows=3, **on_ray(cluster)), tmp_path / "ray")
    assert files(tmp_path / "ray") == files(tmp_path / "local")


@pytest.mark.slow
def test_a_node_that_is_lost_costs_nothing(tmp_path: Path, cluster: Any) -> None:
    """Cheap machines are taken away in the middle of the night; the run goes on with those that are left."""
    source = write(tmp_path, [f"line {number}" for number in range(120)])
    stages = [toys.UpperOptions(pause=0.05)]
    run(recipe(source, stages=stages, shard_rows=10), tmp_path / "local")
    nodes = [cluster.add_node(num_cpus=1), cluster.add_node(num_cpus=1)]
    cluster.wait_for_nodes()
    out = tmp_path / "ray"

    def lose() -> None:
        import ray

        mine = ray.get_runtime_context().get_node_id()  # the run itself hangs on one of the nodes of this machine
        cluster.remove_node(next(node for node in nodes if node.node_id != mine), allow_graceful=False)

    killer = soon(lambda: shards(out) >= 2, lose)
    result = run(recipe(source, stages=stages, shard_rows=10, **on_ray(cluster)), out)
    killer.join()
    assert shards(out) == 12
    assert "failed" not in result.steps[1].counts.codes
    assert files(out) == files(tmp_path / "local")


@pytest.mark.slow
def test_an_actor_that_is_killed_costs_nothing(tmp_path: Path, cluster: Any) -> None:
    """The kernel kills whom it likes; an innocent row must not pay for it."""
    source = write(tmp_path, [f"line {number}" for number in range(60)])
    stages = [toys.UpperOptions(pause=0.05)]
    run(recipe(source, stages=stages, shard_rows=10), tmp_path / "local")
    out = tmp_path / "ray"

    def kill() -> None:
        names = {path.parent: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()}
        found = [folder.name for folder, name in names.items() if name.startswith(b"ray::RayWorker")]
        assert found, "an actor is at work"
        os.kill(int(found[0]), signal.SIGKILL)

    killer = soon(lambda: shards(out) >= 2, kill)
    result = run(recipe(source, stages=stages, shard_rows=10, **on_ray(cluster)), out)
    killer.join()
    assert "failed" not in result.steps[1].counts.codes
    assert files(out) == files(tmp_path / "local")


@pytest.mark.slow
def test_a_worker_that_fits_nowhere_is_said_at_once(tmp_path: Path, cluster: Any) -> None:
    """Ray itself waits for ever for a node that is large enough."""
    with pytest.raises(UsageError, match=r"no node .* 99 CPUs .* largest has 1 and 0.*ray\.resources\.upper"):
        run(recipe(write(tmp_path, ["a"]), **on_ray(cluster, cpus=99)), tmp_path / "ray")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere", "127.0.0.1:port"])
def test_an_address_without_a_cluster_is_said_at_once(tmp_path: Path, address: str) -> None:
    """Ray tries for many minutes, and says nothing."""
    with pytest.raises(UsageError, match=f"no Ray cluster at '{address}'"):
        run(recipe(write(tmp_path, ["a"]), engine="ray", ray=RayOptions(address=address)), tmp_path / "ray")


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback of imports tells nobody what to do."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'curate\[ray\]'"):
        run(recipe(write(tmp_path, ["a"]), engine="ray"), tmp_path / "ray")


def test_resources_of_a_stage_that_there_is_not_are_an_error(tmp_path: Path) -> None:
    """A misspelt stage would run on one processor, and nobody would know why."""
    with pytest.raises(ValueError, match=r"ray\.resources names 'uper'; the stages are: upper"):
        recipe(write(tmp_path, ["a"]), ray=RayOptions(resources={"uper": Resources(gpus=1)}))
