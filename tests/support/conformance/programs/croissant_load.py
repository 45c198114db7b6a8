"""Validates Croissant files and loads what they describe, inside the environment of mlcroissant."""

import json
import socket
import sys
from pathlib import Path

import mlcroissant


def refuse(*arguments: object, **options: object) -> None:
    """Nothing is fetched."""
    raise OSError("no network in this test")


socket.socket.connect = refuse
request = json.loads(Path(sys.argv[1]).read_text("utf-8"))
for name, path in request["files"].items():
    dataset = mlcroissant.Dataset(path)
    answer = {"name": name, "warnings": sorted(dataset.metadata.ctx.issues.warnings), "sets": {}, "texts": []}
    for record_set in request["sets"]:
        rows = list(dataset.records(record_set))
        answer["sets"][record_set] = {"rows": len(rows), "first": str(rows[0])}
        if record_set == "records":
            answer["texts"] = [turn["records/turns/text"].decode() for row in rows for turn in row["records/turns"]]
    print("@@" + json.dumps(answer), flush=True)
