# ruff: noqa: F811  fixtures are imported and used by name
"""Runs in another place: the same bytes on S3 as on a disk, whichever machine goes on with them."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import toys
from engine_support import files, recipe, toy_registry, write  # noqa: F401  the fixture is used by name
from s3_support import bucket, machine, names, s3_server, stored  # noqa: F401  fixtures

from curate.dataset.lease import LEASE, Lease
from curate.dataset.pictures import MADE, PictureStore
from curate.dataset.working_copy import at_hand
from curate.errors import OutputError, UsageError
from curate.pipeline.plan import plan
from curate.pipeline.ray_options import RayOptions
from curate.pipeline.ray_shared import Shared
from curate.pipeline.run import run
from curate.pipeline.shard import ShardTask, run_shard
from curate.pipeline.stage import Context

pytestmark = pytest.mark.usefixtures("toy_registry", "machine")
LINES = [f"line {number}" for number in range(60)]


def test_a_run_on_s3_has_the_same_bytes(tmp_path: Path, bucket: str) -> None:
    """What a team shares must be what one of them would have got alone."""
    source = write(tmp_path, [*LINES, "BAD", "", "twice"])
    run(recipe(source), tmp_path / "local")
    result = run(recipe(source), Path(f"{bucket}/run"))
    assert result.status == "finished"
    assert stored(f"{bucket}/run") == files(tmp_path / "local")


def test_another_machine_finds_nothing_to_do(tmp_path: Path, bucket: str, machine: Callable[[], None]) -> None:
    """The second person of a team must not pay for what the first one's machine has done."""
    source = write(tmp_path, LINES)
    run(recipe(source), Path(f"{bucket}/run"))
    machine()
    assert not any(step.runs for step in plan(recipe(source), Path(f"{bucket}/run")).steps)
    assert all(step.reused for step in run(recipe(source), Path(f"{bucket}/run")).steps)


@pytest.mark.slow
def test_a_killed_run_is_finished_by_another_machine(tmp_path: Path, bucket: str, machine: Callable[[], None]) -> None:
    """A cloud machine that is taken away leaves its work behind, not half of it as if it were whole."""
    source = write(tmp_path, LINES)
    whole = recipe(source, stages=[toys.UpperOptions(pause=0.1)], shard_rows=6)
    code = (
        "import sys; from pathlib import Path; import toys; from curate.pipeline import registry\n"
        "from curate.pipeline.recipe import Recipe; from curate.pipeline.run import run\n"
        "from curate.dataset import working_copy; working_copy._EVERY = 0.1\n"
        "if __name__ == '__main__':\n"
        "    registry.stages = lambda: {'upper': toys.UpperStage}\n"
        "    registry.exporters = dict\n"
        "    registry.OPEN_SOURCE = 'toys:LinesSource'\n"
        "    from engine_support import recipe\n"
        "    out = Path(sys.argv[2])\n"
        "    run(recipe(Path(sys.argv[1]), stages=[toys.UpperOptions(pause=0.1)], shard_rows=6), out)\n"
    )
    script = tmp_path / "worker.py"
    script.write_text(code)
    paths = os.pathsep.join([str(Path(toys.__file__).parent), os.environ.get("PYTHONPATH", "")])
    child = subprocess.Popen(
        [sys.executable, script, source, f"{bucket}/run"], env={**os.environ, "PYTHONPATH": paths}, cwd=Path.cwd()
    )
    for _ in range(600):
        there = [name for name in names(f"{bucket}/run") if name.startswith("01-upper/rows/")]
        if len(there) >= 3:
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    there = [name for name in stored(f"{bucket}/run") if name.startswith("01-upper/rows/")]
    assert 3 <= len(there) < 10
    machine()
    run(whole, Path(f"{bucket}/run"))
    run(whole, tmp_path / "local")
    assert stored(f"{bucket}/run") == files(tmp_path / "local")


def test_a_damaged_shard_is_made_again(tmp_path: Path, bucket: str, machine: Callable[[], None]) -> None:
    """Somebody's script that wrote into the bucket must be noticed, and mended."""
    source = write(tmp_path, LINES)
    run(recipe(source), Path(f"{bucket}/run"))
    before = stored(f"{bucket}/run")
    system, root = fsspec.core.url_to_fs(f"{bucket}/run")
    system.pipe_file(f"{root}/01-upper/rows/part-00001.parquet", b"PAR1 nothing PAR1")
    system.rm_file(f"{root}/01-upper/ledger/part-00002.parquet")
    machine()
    run(recipe(source), Path(f"{bucket}/run"))
    assert stored(f"{bucket}/run") == before


def test_what_is_gone_here_goes_there(tmp_path: Path, bucket: str) -> None:
    """A shard of a longer input that stayed behind would be read as part of the run."""
    run(recipe(write(tmp_path, LINES)), Path(f"{bucket}/run"))
    run(recipe(write(tmp_path, LINES[:20])), Path(f"{bucket}/run"))
    run(recipe(write(tmp_path, LINES[:20])), tmp_path / "local")
    assert stored(f"{bucket}/run") == files(tmp_path / "local")


def test_a_second_run_is_refused(tmp_path: Path, bucket: str) -> None:
    """Two runs in one place would mix their shards."""
    source = write(tmp_path, LINES)
    with Lease(f"{bucket}/run"), pytest.raises(OutputError, match="another run of curate works in s3://"):
        run(recipe(source), Path(f"{bucket}/run"))
    assert stored(f"{bucket}/run") == {}


@pytest.mark.parametrize("holder", ["dead here", "silent there", "alive there"])
def test_the_lease_of_the_dead_is_taken_over(bucket: str, holder: str) -> None:
    """A machine that was taken away must not lock its place for ever; one that lives must not lose it."""
    system, root = fsspec.core.url_to_fs(bucket)
    with Lease(bucket):
        value = json.loads(system.cat_file(f"{root}/{LEASE}"))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    value["process"] = dead.pid
    if holder != "dead here":
        value["machine"] = "another"
    system.pipe_file(f"{root}/{LEASE}", json.dumps(value).encode())
    lease = Lease(bucket, watched=0.3)
    if holder == "alive there":
        lease._over.wait = lambda seconds: system.pipe_file(f"{root}/{LEASE}", b'{"machine": "other"}')  # type: ignore[assignment,method-assign,func-returns-value]
        with pytest.raises(OutputError, match="another run"):
            lease.__enter__()
        return
    with lease:
        assert json.loads(system.cat_file(f"{root}/{LEASE}"))["process"] == os.getpid()
    assert LEASE not in stored(bucket)


def test_pictures_that_stages_make_are_kept_there(tmp_path: Path, bucket: str, machine: Callable[[], None]) -> None:
    """A worker on another machine must find what a worker on this one made."""
    made = Path(f"{bucket}/run/images")
    path, digest = PictureStore(None, made).keep(b"a picture", ".webp")
    assert stored(f"{bucket}/run/images") == {path.removeprefix(MADE): b"a picture"}
    machine()
    assert PictureStore(None, made).read(path, digest) == b"a picture"
    assert PictureStore(None, tmp_path, [made]).read(path, digest) == b"a picture"
    assert PictureStore(None, made).lost([path]) is None
    assert PictureStore(None, made).lost([f"{MADE}ab/abc.webp"]) == "ab/abc.webp"


def test_a_worker_needs_nothing_but_the_shared_place(tmp_path: Path, bucket: str) -> None:
    """On a node of a cluster there is no folder of the machine that drives the run."""
    source = write(tmp_path, LINES)
    run(recipe(source), Path(f"{bucket}/run"))
    before = stored(f"{bucket}/run")
    elsewhere = Path("/nowhere/at/all")
    options = toys.UpperOptions()
    stage = toys.UpperStage(options, Context(pictures=PictureStore(None, elsewhere / "images")))
    folder = elsewhere / "01-upper"
    task = ShardTask(0, elsewhere / "00-ingest/rows/part-00000.parquet", folder, "fingerprint")
    with Shared(elsewhere, f"{bucket}/run").at_hand(task) as near:
        run_shard(stage, near, lambda row, units: None)
    after = stored(f"{bucket}/run")
    name = "01-upper/rows/part-00000.parquet"
    assert after.pop(name) != before.pop(name)  # another fingerprint
    assert after == before


def test_names_that_lead_out_of_the_copy_are_not_followed(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes into a bucket must not write into the home folder of whoever reads it."""
    import boto3

    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    name = bucket.removeprefix("s3://")
    for key in ("in/a.txt", "in/../../../../../escaped.txt", "in//etc/escaped.txt", "in/b/../../escaped.txt"):
        client.put_object(Bucket=name, Key=key, Body=b"text")
    copy = at_hand(Path(f"{bucket}/in"))
    found = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".txt"}
    assert found <= {"a.txt", "escaped.txt"}
    assert all(path.is_relative_to(copy) for path in tmp_path.rglob("*.txt"))
    assert (copy / "a.txt").read_bytes() == b"text"


def test_no_bucket_and_no_server_are_said_in_a_line(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typing error in a URL must not end in a traceback of a library."""
    source = write(tmp_path, LINES)
    with pytest.raises(OutputError, match="there is no such bucket"):
        run(recipe(source), Path("s3://bucket-of-nobody/run"))
    with pytest.raises(UsageError, match="Protocol not known: nowhere"):
        run(recipe(source), Path("nowhere://bucket/run"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    type(fsspec.filesystem("s3")).clear_instance_cache()
    with pytest.raises(UsageError, match="cannot reach"):
        run(recipe(source), Path(f"{bucket}/run"))


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who runs everything on one disk does not carry an S3 client."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"pip install 'curate\[s3\]'"):
        run(recipe(write(tmp_path, LINES)), Path("s3://bucket/run"))


@pytest.fixture
def two_nodes() -> Iterator[Any]:
    """A cluster of a head and two nodes, which are processes of their own."""
    paths = os.environ.get("PYTHONPATH")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(toys.__file__).parent), *([paths] if paths else [])])
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    made.nodes = [made.add_node(num_cpus=1), made.add_node(num_cpus=1)]
    made.wait_for_nodes()
    yield made
    made.shutdown()
    if paths is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = paths


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra ray is not installed; CI installs it")
def test_ray_nodes_work_through_the_bucket_and_one_may_die(tmp_path: Path, bucket: str, two_nodes: Any) -> None:
    """Nodes without a common disk, one of them lost in the middle: the same bytes."""
    import threading

    source = write(tmp_path, [*LINES, "raise", "twice"])
    stages = [toys.UpperOptions(pause=0.05)]
    run(recipe(source, stages=stages, shard_rows=5), tmp_path / "local")

    def lose() -> None:
        for _ in range(1200):
            if sum(name.startswith("01-upper/rows/") for name in names(f"{bucket}/run")) >= 2:
                import ray

                mine = ray.get_runtime_context().get_node_id()
                node = next(node for node in two_nodes.nodes if node.node_id != mine)
                two_nodes.remove_node(node, allow_graceful=False)
                return
            time.sleep(0.05)

    killer = threading.Thread(target=lose, daemon=True)
    killer.start()
    on_ray = {"engine": "ray", "workers": "auto", "ray": RayOptions(address=two_nodes.address)}
    run(recipe(source, stages=stages, shard_rows=5, **on_ray), Path(f"{bucket}/run"))
    killer.join()
    assert stored(f"{bucket}/run") == files(tmp_path / "local")
