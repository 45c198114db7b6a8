"""Does asking keep a server busy? The client beside bare sockets that send finished requests.

    python -m tests.benchmarks.infer [--rows N] [--size BYTES] [--latency SECONDS] [--concurrency N]

Both talk to a stub server in a process of its own that answers after a fixed time, so concurrency / latency is the rate
that nothing can exceed; the bare sockets show how much of it this machine can reach at all. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from curate.infer.ask import ServerEngine
from curate.infer.options import AskOptions
from curate.infer.question import Question, Turn
from curate.infer.run import infer

ROOT = Path(__file__).parent.parent.parent


def questions(folder: Path, rows: int, size: int) -> list[Question]:
    """Rows with one picture each, of twenty different ones."""
    pictures = []
    for number in range(20):
        pictures.append(folder / f"{number}.jpg")
        pictures[-1].write_bytes(random.Random(number).randbytes(size))
    return [
        Question(f"u{n}", f"s{n}", "x", None, (Turn("user", f"<image>question {n}"),), (pictures[n % 20],), ("a", "b"))
        for n in range(rows)
    ]


async def bare(port: int, bodies: Sequence[bytes], concurrency: int) -> None:
    """Send finished requests over `concurrency` connections and read the answers."""
    waiting = iter(bodies)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in waiting:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode())
            writer.write(body)
            await writer.drain()
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(answer.split(b"content-length: ")[1].split(b"\r")[0]))
        writer.close()

    await asyncio.gather(*(one() for _ in range(concurrency)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both, in turn, three times; print the middle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--size", type=int, default=1_000_000, help="bytes of a picture")
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args(arguments)
    found: dict[str, list[tuple[float, float]]] = {"curate infer": [], "bare sockets, finished requests": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = questions(folder, options.rows, options.size)
        command = [sys.executable, ROOT / "tests" / "support" / "stub_server.py", "--latency", str(options.latency)]
        stub = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
        assert stub.stdout is not None
        url = stub.stdout.readline().strip()
        try:
            for turn in range(3):
                started, cpu = time.perf_counter(), os.times()
                engine = ServerEngine(url, AskOptions(model="tiny", concurrency=options.concurrency))
                infer(asked, folder / f"out{turn}", engine)
                found["curate infer"].append(_took(started, cpu))
                bodies = [one.load().body({"model": "tiny"}) for one in asked[:20]]
                many = [bodies[number % 20] for number in range(options.rows)]
                started, cpu = time.perf_counter(), os.times()
                asyncio.run(bare(int(url.rpartition(":")[2]), many, options.concurrency))
                found["bare sockets, finished requests"].append(_took(started, cpu))
        finally:
            stub.kill()
    ideal = options.concurrency / options.latency
    print(
        f"{options.rows} rows of {options.size:,} bytes, {options.concurrency} at a time, {options.latency:g} s each\n"
    )
    print("| client | rows / s | of the ideal | client CPU ms / row |\n|---|---|---|---|")
    print(f"| nothing can be faster | {ideal:.0f} | 100 % | |")
    for client, runs in found.items():
        seconds, cpu_seconds = sorted(runs)[1]
        rate = options.rows / seconds
        print(f"| {client} | {rate:.0f} | {rate / ideal:.0%} | {1000 * cpu_seconds / options.rows:.2f} |")


def _took(started: float, before: os.times_result) -> tuple[float, float]:
    after = os.times()
    return time.perf_counter() - started, after.user - before.user + after.system - before.system


if __name__ == "__main__":
    main()
