"""Does asking keep a server busy? The client beside bare sockets that send finished requests.

    python -m tests.benchmarks.infer [--rows N] [--size BYTES] [--latency SECONDS] [--concurrency N]

Both talk to a server in a process of its own that does nothing but count bytes and answer after a fixed time, so
concurrency / latency is the rate that nothing can exceed; the bare sockets show how much of it this machine can reach at
all. They run in turn, with rows enough that starting up does not count. Prints a Markdown table.

The bar is 90 % of the ideal. 1,280 requests of 1 MB are 1.7 GB of base64 a second; on two cores beside the server even
the bare sockets reached 83 to 92 % of it, so the client, which also has to read, encode and keep books, did not: 40 % with
three other programs on the machine (load 3), 70 to 76 % in moments with fewer (898 to 967 rows a second).

What was tried to bring the client's CPU time down, 1 MB a row, in milliseconds a row on one core of two (Xeon with
AVX-512; the server takes 0.3 more):

| way | CPU ms / row | |
|---|---|---|
| before: base64 of the standard library, a `data:` address joined twice, a thread for each row | 4.2 to 5.5 | |
| pybase64 (0.13 instead of 1.5 for a picture), the body joined once | 2.1 | taken |
| body in pieces, each written to the socket from where it is | 1.7 | taken |
| pictures read by two threads, four rows at a time, ahead of the free place | 1.3 | taken |
| no cookie jar | - 0.1 | taken |
| pictures read in the event loop, no threads | 1.1 | less CPU, but a second core is of no use |
| pictures mapped into memory instead of read | - 0.1 | a file that is cut while mapped would end the process |
| uvloop instead of asyncio | 0 | |
| socket buffers of 4 MB | 0 | |
| sockets and HTTP by hand instead of aiohttp | - 0.3 | no TLS, no proxies, no chunked answers |
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
from typing import NamedTuple

from curate.infer.ask import ServerEngine
from curate.infer.options import AskOptions
from curate.infer.question import Question, Turn
from curate.infer.run import infer
from tests.benchmarks.figures import Bar, Figure

SERVER = Path(__file__).with_name("infer_server.py")
PICTURES = 400
"""Different pictures; more than the processor's caches hold."""


def questions(folder: Path, rows: int, size: int) -> list[Question]:
    """Rows with one picture each."""
    pictures = [folder / f"{number}.jpg" for number in range(min(rows, PICTURES))]
    for number, picture in enumerate(pictures):
        picture.write_bytes(random.Random(number).randbytes(size))
    return [
        Question(
            f"u{n}",
            f"s{n}",
            "x",
            None,
            (Turn("user", f"<image>question {n}"),),
            (pictures[n % len(pictures)],),
            ("a", "b"),
        )
        for n in range(rows)
    ]


async def bare(port: int, bodies: Sequence[bytes], rows: int, concurrency: int) -> None:
    """Send finished requests over `concurrency` connections and read the answers."""
    waiting = iter(range(rows))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in waiting:
            body = bodies[number % len(bodies)]
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode())
            writer.write(body)
            await writer.drain()
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(answer.split(b"content-length: ")[1].split(b"\r")[0]))
        writer.close()

    await asyncio.gather(*(one() for _ in range(concurrency)))


class Took(NamedTuple):
    """What one run took."""

    seconds: float
    cpu_seconds: float
    """Of the client alone."""


OURS, BARE = "curate infer", "bare sockets, finished requests"


def measure(rows: int, size: int, latency: float, concurrency: int, turns: int) -> dict[str, list[Took]]:
    """Measure both clients in turn, `turns` times."""
    found: dict[str, list[Took]] = {OURS: [], BARE: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = questions(folder, rows, size)
        bodies = [b"".join(one.load().body({"model": "tiny"})) for one in asked[:20]]
        command = [sys.executable, str(SERVER), str(latency)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                url = server.stdout.readline().strip()
                for turn in range(turns):
                    started, cpu = time.perf_counter(), os.times()
                    engine = ServerEngine(url, AskOptions(model="tiny", concurrency=concurrency))
                    assert infer(asked, folder / f"out{turn}", engine).answered == rows
                    found[OURS].append(_took(started, cpu))
                    started, cpu = time.perf_counter(), os.times()
                    asyncio.run(bare(int(url.rpartition(":")[2]), bodies, rows, concurrency))
                    found[BARE].append(_took(started, cpu))
            finally:
                server.kill()
    return found


def figures(rounds: int, quick: bool) -> list[Figure]:
    """Rows for the table of all benchmarks: pictures of a megabyte and of 200 kB, 64 requests at a time, 50 ms each."""
    found = []
    for size in (1_000_000, 200_000):
        rows = 640 if quick else 6000
        runs = measure(rows, size, 0.05, 64, rounds)
        what = f"`curate infer`: {rows:,} rows of {size // 1000:,} kB"
        ours, bare = ([rows / took.seconds for took in runs[name]] for name in (OURS, BARE))
        bar = Bar("figure", ">=", 0.9 * 64 / 0.05)
        found.append(Figure(what, "rows / s", ours, BARE, bare, "higher", bar, headline=True))
        ours, bare = ([1000 * took.cpu_seconds / rows for took in runs[name]] for name in (OURS, BARE))
        found.append(Figure(what, "CPU ms a row", ours, BARE, bare))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the middle of several measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--size", type=int, default=1_000_000, help="bytes of a picture")
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args(arguments)
    found = measure(**vars(options))
    ideal = options.concurrency / options.latency
    print(
        f"{options.rows} rows of {options.size:,} bytes, {options.concurrency} at a time, {options.latency:g} s each; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    print("| client | rows / s | of the ideal | client CPU ms / row |\n|---|---|---|---|")
    print(f"| nothing can be faster | {ideal:.0f} | 100 % | |")
    for client, runs in found.items():
        middle = sorted(runs)[len(runs) // 2]
        rate = options.rows / middle.seconds
        print(f"| {client} | {rate:.0f} | {rate / ideal:.0%} | {1000 * middle.cpu_seconds / options.rows:.2f} |")
    ratios = sorted(one.seconds / ours.seconds for ours, one in zip(found[OURS], found[BARE], strict=True))
    print(f"\nof the bare sockets beside it: {ratios[len(ratios) // 2]:.0%}")


def _took(started: float, before: os.times_result) -> Took:
    after = os.times()
    return Took(time.perf_counter() - started, after.user - before.user + after.system - before.system)


if __name__ == "__main__":
    main()
