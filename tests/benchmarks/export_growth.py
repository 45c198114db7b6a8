"""Does an export's memory stay flat? Dialogues that share fifty pictures, at growing numbers of records.

    python -m tests.benchmarks.export_growth sharegpt 10000 100000

Prints a Markdown table: processor seconds, and the largest resident memory of the process. Each number of records runs
in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PICTURES = 50
SHARD = 2000


def measure(target: str, records: int) -> tuple[float, float, int]:
    """Export so many records in another process; give processor seconds, MiB and the number of pictures written."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", target, str(records)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["mib"], found["pictures"]


def _one(target: str, records: int) -> None:
    from PIL import Image as Pillow

    from curate.dataset.pictures import PictureStore
    from curate.pipeline import registry
    from curate.pipeline.export import Delivery
    from curate.pipeline.stage import Context
    from curate.records import Image, Record, Turn, to_table

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        images = []
        for number in range(PICTURES):
            path = root / f"{number}.jpg"
            Pillow.linear_gradient("L").resize((540, 960)).rotate(number).convert("RGB").save(path)
            images.append(Image(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), 540, 960, "JPEG"))

        def record(number: int) -> Record:
            turns = (
                Turn("user", "<image>"),
                Turn("agent", "您好，有什么可以帮您？"),
                Turn("user", f"第{number}款几天能到"),
            )
            image = (images[number % PICTURES],)
            split = "val" if number % 10 == 0 else "train"
            name = f"{number:026}"
            return Record(name, name, "dialogue_intent", turns, image, label="商品材质", split=split, raw="{}")

        def shards() -> Iterator[object]:
            for start in range(0, records, SHARD):
                yield to_table(map(record, range(start, min(records, start + SHARD))))

        out = root / "out"
        out.mkdir()
        kind = registry.exporters()[target]
        options = kind.Options.model_validate({"use": target, "template": "mire"})
        began = time.process_time()
        exporter = kind(options, Context(PictureStore(root, root / "made")))
        exporter.write(shards(), Delivery(out, lambda uid, code, detail: sys.exit(f"{uid}: {code}"), lambda rows: None))  # type: ignore[arg-type]
        found = {
            "seconds": time.process_time() - began,
            "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "pictures": len(list((out / "images").glob("*"))),
        }
    print(json.dumps(found))


def main() -> None:
    """Measure and print."""
    if sys.argv[1] == "--one":
        _one(sys.argv[2], int(sys.argv[3]))
        return
    print("| records | processor seconds | MiB | pictures |\n|---|---|---|---|")
    for records in map(int, sys.argv[2:]):
        seconds, mib, pictures = measure(sys.argv[1], records)
        print(f"| {records:,} | {seconds:.1f} | {mib:.0f} | {pictures} |", flush=True)


if __name__ == "__main__":
    main()
