"""Does memory stay flat? Text-only records through ingest and denoise, at growing numbers of records.

    python -m tests.benchmarks.growth 10000 100000 1000000

Prints a Markdown table: seconds, and the largest resident memory of any process of the run.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import cost, export_growth
from tests.benchmarks.cost import Cost
from tests.benchmarks.figures import Bar, Figure

USER = [
    "这款灯可以调光吗",
    "在吗",
    "多少钱一个呀{n}",
    "什么时候发货呢？？？",
    "看下这个https://item.example.com/item.htm?id={n}还有货吗",
    "订单号1234567890{n}到哪了",
    "昨天收到的杯子碎了，能退吗{n}",
]
AGENT = [
    "亲，在的呢！这款宝贝您遇到了什么问题呢？",
    "您好，这款支持调节三档亮度的哦~",
    "暂时无法识别您的图片信息，麻烦您用文字描述一下问题哦。",
    "",
    "亲亲 今天下午16:00前付款的订单当天发出哦❤",
    "祝您生活愉快！",
]


def write_source(path: Path, records: int) -> None:
    """Write a JSON array of conversations, a few repeating, most with a number of their own."""
    draw = random.Random(1)
    with open(path, "w", encoding="utf-8") as stream:
        for number in range(records):
            turns = []
            for _ in range(draw.randint(2, 4)):
                turns.append({"from": "human", "value": draw.choice(USER).format(n=draw.randint(0, 10**6))})
                turns.append({"from": "gpt", "value": draw.choice(AGENT)})
            row = json.dumps({"id": str(number), "conversations": turns}, ensure_ascii=False)
            stream.write(("[\n" if number == 0 else ",\n") + row)
        stream.write("\n]\n")


def measure(records: int) -> Cost:
    """Run ingest and denoise on so many records."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_source(folder / "in.json", records)
        return cost.measure([*cost.CURATE, "denoise", "in.json", "out", "-q"], folder)


def figures(rounds: int, quick: bool) -> list[Figure]:
    """Rows for the table of all benchmarks: a thousand to a million records, and exports of up to a tenth of them.

    Processor time of a record is that of the run less that of a run with one record, which holds the imports; where
    records are few, the start of the workers and the 64 shards that a run is cut into still show.
    The most records are run once. What stands beside each number is a tenth of it: flat is 1.
    """
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    start = statistics.median(measure(1).processor for _ in range(max(3, rounds)))
    runs = {size: [measure(size) for _ in range(1 if size == sizes[-1] else rounds)] for size in sizes}
    found = _growing(
        "ingest and denoise",
        {size: [1e6 * (one.processor - start) / size for one in costs] for size, costs in runs.items()},
        {size: [one.largest for one in costs] for size, costs in runs.items()},
    )
    for target in ("sharegpt",):
        exports = {size: [export_growth.measure(target, size) for _ in range(rounds)] for size in sizes[:-1]}
        found += _growing(
            f"export {target}",
            {size: [1e6 * seconds / size for seconds, _, _ in told] for size, told in exports.items()},
            {size: [mib for _, mib, _ in told] for size, told in exports.items()},
        )
    return found


def _growing(what: str, spent: dict[int, list[float]], peaks: dict[int, list[float]]) -> list[Figure]:
    found = []
    for unit, values in (("CPU µs a record", spent), ("peak MiB of a process", peaks)):
        before: float | None = None
        for size, here in values.items():
            flat = Bar("ratio", ">=", 0.8) if before and size == max(values) else None
            beside = {"peer": "a tenth of the records", "peer_values": [before] * len(here)} if before else {}
            found.append(Figure(what, unit, here, **beside, bar=flat, headline=True, records=size))
            before = statistics.median(here)
    return found


def main() -> None:
    """Measure every size that was asked for."""
    print("| records | seconds | records a second | peak MiB of a process |\n|---:|---:|---:|---:|")
    for records in map(int, sys.argv[1:] or ["10000", "100000"]):
        found = measure(records)
        print(f"| {records:,} | {found.wall:.1f} | {records / found.wall:,.0f} | {found.largest:.0f} |", flush=True)


if __name__ == "__main__":
    main()
