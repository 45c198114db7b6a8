"""Drive a headless Chromium over its debugging protocol.

A browser lays Chinese text out as a phone does, and it can say afterwards where every character landed. The
pictures therefore come with ground truth that nobody had to type.
"""

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import websocket

WIDTH, HEIGHT, SCALE = 360, 780, 2
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-allow-origins=*",
]
START_SECONDS = 30.0
LOAD_SECONDS = 20.0
EXTRACT = (Path(__file__).parent / "extract.js").read_text(encoding="utf-8")
STATE = "[document.readyState, document.fonts.status, location.href, document.documentElement?.scrollHeight]"


def find_chromium() -> str:
    """Path of the browser, or an error that says what to install."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("no Chromium found: install the chromium package, with fonts-noto-cjk")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def page_socket(port: int) -> str:
    """Address of the browser's first page, once the browser has started."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            targets = json.load(opener.open(f"http://127.0.0.1:{port}/json", timeout=5))
        except OSError:
            targets = []
        for target in targets:
            if target["type"] == "page":
                return str(target["webSocketDebuggerUrl"])
        time.sleep(0.1)
    raise TimeoutError(f"Chromium did not start within {START_SECONDS:.0f} s")


class Chromium:
    """One browser with one page; use it as a context manager so that it always ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="demo-pages-"))
        self.calls = 0
        port = free_port()
        command = [find_chromium(), *FLAGS, f"--remote-debugging-port={port}", f"--user-data-dir={self.folder}"]
        self.process = subprocess.Popen([*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.socket = websocket.create_connection(page_socket(port), timeout=60, http_no_proxy=["127.0.0.1"])
        except BaseException:
            self.end_process()
            raise
        self.call("Page.enable")

    def __enter__(self) -> "Chromium":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()
        self.end_process()

    def end_process(self) -> None:
        """Stop the browser and remove what it wrote."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        self.calls += 1
        self.socket.send(json.dumps({"id": self.calls, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") != self.calls:
                continue
            if "error" in answer:
                raise RuntimeError(f"Chromium refused {method}: {answer['error'].get('message')}")
            return dict(answer["result"])

    def evaluate(self, script: str) -> Any:
        """Value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"the page's script failed: {result['exceptionDetails']}")
        return result["result"].get("value")

    def set_height(self, height: int) -> None:
        """Give the page a viewport of this many css pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=WIDTH, height=height, deviceScaleFactor=SCALE, mobile=False
        )

    def load(self, html: str) -> int:
        """Open the page and wait for its fonts; returns the height of its content in css pixels."""
        page = self.folder / f"page-{self.calls}.html"  # a fresh address each time, or the old page answers
        page.write_text(html, encoding="utf-8")
        self.call("Page.navigate", url=page.as_uri())
        deadline = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < deadline:
            ready, fonts, address, height = self.evaluate(STATE)
            if ready == "complete" and fonts == "loaded" and address.endswith(page.name):
                return int(height)
            time.sleep(0.02)
        raise TimeoutError(f"a page did not load within {LOAD_SECONDS:.0f} s")

    def shoot(self, html: str, tall: bool = False, height: int | None = None) -> tuple[bytes, list[dict[str, Any]]]:
        """PNG of the page and its lines of text; a tall page is photographed whole, others one screen high."""
        screen = height or HEIGHT
        self.set_height(screen)
        content = self.load(html)
        if tall and content > screen:
            self.set_height(content)
            self.evaluate("document.body.getBoundingClientRect().height")  # lays the page out again
        lines = self.evaluate(EXTRACT)
        png = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return png, lines
