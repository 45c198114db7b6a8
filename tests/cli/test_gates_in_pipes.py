"""A check that does not pass says so with its exit code, also where its reader has seen enough."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RULES = """\
name: mine
title: Mine
language: zh
rules:
  - id: hello
    level: sentence
    kind: sentence
    role: agent
    what: Hello.
    why: It is noise.
    find: ["^hello$"]
    hits: [{text: "goodbye", gives: ""}]
    spares: ["x"]
"""


@pytest.mark.parametrize("as_json", [[], ["--json"]])
@pytest.mark.parametrize(
    "arguments",
    ["export --check theirs", "diff a.jsonl b.jsonl --fail-on changed:0", "rules test mine.yaml", "card run --check"],
)
def test_a_gate_counts_although_nobody_reads_on(tmp_path: Path, arguments: str, as_json: list[str]) -> None:
    """`curate export --check DIR | head -20` under `set -o pipefail` let sets pass that do not train."""
    (tmp_path / "theirs").mkdir()
    info = {"theirs": {"file_name": "nothere.json"}}
    (tmp_path / "theirs" / "dataset_info.json").write_text(json.dumps(info), "utf-8")
    for name, text in (("a", "x"), ("b", "y")):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"id": "1", "text": text}) + "\n", "utf-8")
    (tmp_path / "mine.yaml").write_text(RULES, "utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-m", "curate.cli.main"]
    for before in (["ingest", "a.jsonl", "run", "-q"], ["card", "run", "-q"]) if arguments.startswith("card") else ():
        subprocess.run([*program, *before], cwd=tmp_path, env=environment, check=True, capture_output=True)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*program, *arguments.split(), *as_json],
        cwd=tmp_path,
        env=environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1, done.stderr
