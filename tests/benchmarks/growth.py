"""Does memory stay flat? Text-only records through ingest and denoise, at growing numbers of records.

    python -m tests.benchmarks.growth 10000 100000 1000000

Prints a Markdown table: seconds, and the largest resident memory of any process of the run.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

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


class Watch(threading.Thread):
    """Notes the largest resident memory among a process and its children, ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.peak = 0

    def run(self) -> None:
        while Path(f"/proc/{self.pid}").exists():
            listed = subprocess.run(
                ["ps", "-o", "rss=", "--pid", str(self.pid), "--ppid", str(self.pid)],
                capture_output=True,
                text=True,
                check=False,
            )
            self.peak = max([self.peak, *map(int, listed.stdout.split())])
            time.sleep(0.1)


def measure(records: int) -> tuple[float, float]:
    """Run ingest and denoise; give seconds and MiB."""
    folder = Path(tempfile.mkdtemp())
    try:
        write_source(folder / "in.json", records)
        began = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "curate.cli.main",
            "denoise",
            str(folder / "in.json"),
            str(folder / "out"),
            "-q",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        watch = Watch(process.pid)
        watch.start()
        if process.wait() != 0:
            raise SystemExit(f"the run of {records} records failed")
        return time.monotonic() - began, watch.peak / 1024
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure every size that was asked for."""
    print("| records | seconds | records a second | peak MiB of a process |\n|---:|---:|---:|---:|")
    for records in map(int, sys.argv[1:] or ["10000", "100000"]):
        seconds, peak = measure(records)
        print(f"| {records:,} | {seconds:.1f} | {records / seconds:,.0f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
