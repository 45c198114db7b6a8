"""How fast augmentation is: texts through the whole engine, pictures beside a plain albumentations loop.

    python -m tests.benchmarks.augment [--rounds 5]

Texts: 1,000 dialogues, put together from turns of the demo data so that turns and lengths are those of the official
intent records (median of 6 turns, customers 7 characters, agents 42), become 5,000; bar: 60 s on two cores.
Pictures: the demo's pictures, one copy each with the pipeline `screenshot`, by the stage (texts' corners, proof and
content-addressed files included) and by the loop that people write: read, decode, compose, encode, write. Both do the
same operations with the same seeds in turns within one process; bar: 0.8 of the loop's throughput, by processor time.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pyarrow as pa

from curate.augment.draw import Draw
from curate.augment.image import AugmentImageOptions, AugmentImageStage
from curate.augment.pipelines import SEEDS, Pipeline
from curate.dataset.pictures import PictureStore
from curate.pipeline.batch import Batch
from curate.pipeline.outcome import Counts
from curate.pipeline.recipe_file import parse_recipe
from curate.pipeline.run import run
from curate.pipeline.stage import Context
from curate.records import Image, Line, Ocr, Record, Turn, to_table
from tests.benchmarks.figures import Bar, Figure

DEMO = Path(__file__).parents[2] / "pipelines" / "demo"
RECORDS, COPIES = 1000, 4


def dialogues(path: Path, number: int = RECORDS) -> None:
    """Write made-up intent records in the challenge's form."""
    draw = random.Random(1)
    turns: dict[str, list[str]] = {"用户": [], "客服": []}
    records = [
        record for record in json.loads((DEMO / "train.json").read_text("utf-8")) if "START>" in record["instruction"]
    ]
    heads = [record["instruction"].split("START>\n")[0] + "START>\n" for record in records]
    tails = ["\n<用户与客服的对话 END>" + record["instruction"].split("对话 END>")[1] for record in records]
    for record in records:
        for line in record["instruction"].split("START>\n")[1].split("\n<用户与客服的对话 END")[0].split("\n"):
            role, _, text = line.partition(": ")
            if text and "<" not in text and role in turns:
                turns[role].append(text)
    made = []
    for index in range(number):
        source = draw.randrange(len(records))
        lines = [f"{role}: {draw.choice(turns[role])}" for _ in range(draw.choice((2, 3, 3, 3, 4))) for role in turns]
        made.append(
            {
                "id": f"{index:030x}",
                "instruction": heads[source] + "\n".join(lines) + tails[source],
                "input": "",
                "output": records[0]["output"],
                "image": [],
            }
        )
    path.write_text(json.dumps(made, ensure_ascii=False, indent=4), "utf-8")


def texts(folder: Path) -> tuple[float, Counts]:
    """Augment 1,000 dialogues to 5,000 through the engine with two workers; give seconds, everything included."""
    dialogues(folder / "train.json")
    recipe = parse_recipe(
        "name: bench\ninput: {path: train.json, format: mire}\nworkers: 2\n"
        f"stages: [{{use: augment-text, per_record: {COPIES}}}]\n",
        "bench.yaml",
        folder,
    )
    shutil.rmtree(folder / "run", ignore_errors=True)
    started = time.perf_counter()
    result = run(recipe, folder / "run")
    return time.perf_counter() - started, result.steps[-1].counts


def tell_texts(folder: Path) -> None:
    """Print what the texts took."""
    seconds, counts = texts(folder)
    print(f"texts: {counts.rows_in:,} records to {counts.rows_out:,} in {seconds:.1f} s (bar: 5,000 in 60 s)")
    print(f"       records with fewer copies than asked: {counts.codes.get('noted', {})}")


def pictures() -> list[Record]:
    """The demo's pictures, each with thirty lines of text, as high as on a page of 720 pixels."""
    found = []
    for path in sorted((DEMO / "images").iterdir()):
        pixels = cv2.imread(str(path))
        if pixels is None:
            continue
        height, width = pixels.shape[:2]
        step = height / 32
        lines = [
            Line("一二三四五六七八九十", 1.0, (40, y, width - 40, y, width - 40, y + 32, 40, y + 32))
            for y in np.arange(step, height - step, step).tolist()
        ]
        image = Image(path.name, None, width, height, "JPEG", Ocr("bench", "", tuple(lines)))
        found.append(Record(path.name, path.name, "scene", (Turn("user", "<image>"),), (image,), raw=""))
    return found


def by_stage(records: list[Record], made: Path) -> int:
    """Make the copies with the stage."""
    stage = AugmentImageStage(AugmentImageOptions(verify="geometry"), Context(PictureStore(DEMO / "images", made)))
    stage.open()
    batch = Batch(to_table(records), "augment-image", stage.codes)
    stage.verdict = stage.decide(pa.concat_tables([stage.survey(batch)]))
    stage.process(batch)
    return batch.outcome().counts.added


def by_loop(records: list[Record], made: Path, pipeline: Pipeline) -> int:
    """Make the copies as a plain loop does: no text, no proof, files by number, one seed for each."""
    made.mkdir(parents=True)
    compose = pipeline.compose
    for number, record in enumerate(records):
        pixels = cv2.cvtColor(cv2.imread(str(DEMO / "images" / record.images[0].path)), cv2.COLOR_BGR2RGB)
        pipeline.seed(Draw(0, record.uid, "augment-image", 0, 0, 0).number() % SEEDS)
        new = compose(image=pixels, keypoints=np.zeros((0, 2), np.float32))["image"]
        cv2.imwrite(str(made / f"{number}.jpg"), cv2.cvtColor(new, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    return len(records)


class Spent(NamedTuple):
    """Seconds for one picture."""

    processor: float
    wall: float


def images(folder: Path, rounds: int) -> list[dict[str, Spent]]:
    """Time both in turns, round by round."""
    records = pictures()
    pipeline = Pipeline.named("screenshot")
    found = []
    for turn in range(rounds + 1):
        spent = {}
        for name, work in (
            ("loop", lambda place: by_loop(records, place, pipeline)),
            ("stage", lambda place: by_stage(records, place)),
        ):
            clock, wall = time.process_time(), time.perf_counter()
            number = work(folder / f"{name}{turn}")
            spent[name] = Spent((time.process_time() - clock) / number, (time.perf_counter() - wall) / number)
        if turn:  # the first round warms up
            found.append(spent)
    return found


def tell_images(folder: Path, rounds: int) -> None:
    """Print all rounds; the median of the paired ratios is what counts."""
    found = images(folder, rounds)
    ratios = [
        (spent["loop"].processor / spent["stage"].processor, spent["loop"].wall / spent["stage"].wall)
        for spent in found
    ]
    for spent, (processor, wall) in zip(found, ratios, strict=True):
        loop, stage = spent["loop"].processor, spent["stage"].processor
        print(
            f"pictures: loop {loop * 1e3:.1f} ms, stage {stage * 1e3:.1f} ms a picture (processor); "
            f"throughput {processor:.2f} of the loop's by processor, {wall:.2f} by the clock"
        )
    print(
        f"pictures: median {statistics.median(one for one, _ in ratios):.2f} of the loop's throughput by processor time, "
        f"{statistics.median(one for _, one in ratios):.2f} by the clock, {rounds} rounds (bar: 0.8)"
    )


def figures(rounds: int, quick: bool) -> list[Figure]:
    """Rows for the table of all benchmarks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cv2.setNumThreads(1)
        said = [texts(folder)[0] for _ in range(1 if quick else rounds)]
        shown = images(folder, rounds)
    stage, loop = ([spent[one].processor * 1e3 for spent in shown] for one in ("stage", "loop"))
    return [
        Figure("`augment-text`: 1,000 dialogues to 5,000", "s", said, bar=Bar("figure", "<=", 60), headline=True),
        Figure(
            "`augment-image`: a copy of a screenshot",
            "CPU ms",
            stage,
            "plain albumentations loop, without texts and proof",
            loop,
            bar=Bar("ratio", ">=", 0.8),
            headline=True,
        ),
    ]


def main() -> None:
    """Run both benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cv2.setNumThreads(1)
        tell_texts(Path(folder))
        tell_images(Path(folder), options.rounds)


if __name__ == "__main__":
    main()
