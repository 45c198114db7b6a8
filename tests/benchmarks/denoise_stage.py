"""The stage `denoise` over the shards of a dataset in one process: `python -m … ROWS OUT OPTIONS`, for the benchmark."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from curate.dataset.pictures import PictureStore
from curate.denoise.stage import DenoiseOptions, DenoiseStage
from curate.pipeline.shard import ShardTask, run_shard
from curate.pipeline.stage import Context


def main() -> None:
    """Run every shard."""
    rows, out, options = sys.argv[1:]
    stage = DenoiseStage(DenoiseOptions(**json.loads(options)), Context(PictureStore(None, Path(out))))
    stage.open()
    for number, source in enumerate(sorted(Path(rows).glob("*.parquet"))):
        run_shard(stage, ShardTask(number, source, Path(out), "benchmark"), lambda row, units: None)


if __name__ == "__main__":
    main()
