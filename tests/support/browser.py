"""A page in headless Chromium: what it says on the console, what its scripts make of it, how it looks."""

from __future__ import annotations

import base64
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
there = any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
needs_browser = pytest.mark.skipif(
    not there, reason="there is no Chromium on this machine (Debian: apt install chromium)"
)
_TROUBLE = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")


def open_browser() -> Any:
    """Start a browser that remembers what pages say."""
    pytest.importorskip("websocket", reason="websocket-client, which drives the browser, is not installed")
    from tests.demo_data.chromium import Chromium

    class Browser(Chromium):
        """Chromium with its console."""

        def __init__(self) -> None:
            self.said: list[str] = []
            super().__init__()
            self.call("Runtime.enable")
            self.call("Log.enable")

        def call(self, method: str, **params: Any) -> dict[str, Any]:
            """Send a command; note what the page says meanwhile."""
            self.calls += 1
            self.socket.send(json.dumps({"id": self.calls, "method": method, "params": params}))
            while True:
                answer = json.loads(self.socket.recv())
                if answer.get("method") in _TROUBLE:
                    self.said.append(json.dumps(answer["params"])[:600])
                if answer.get("id") == self.calls:
                    if "error" in answer:
                        raise RuntimeError(f"Chromium refused {method}: {answer['error'].get('message')}")
                    return dict(answer["result"])

        def visit(
            self, file: Path, size: str = "desktop", dark: bool = False, script: bool = True, at: str = ""
        ) -> None:
            """Open a file; what an earlier page said is forgotten."""
            width, height = SIZES[size]
            self.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            self.call("Emulation.setEmulatedMedia", features=[scheme])
            self.call("Emulation.setScriptExecutionDisabled", value=not script)
            self.call("Page.navigate", url="about:blank")
            self.said.clear()
            self.call("Page.navigate", url=file.resolve().as_uri() + at)
            self.settle(file.name)

        def settle(self, name: str) -> None:
            """Wait until the page is there."""
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                state = self.evaluate("[document.readyState, location.pathname]")
                if state[0] == "complete" and state[1].endswith(name):
                    return
                time.sleep(0.05)
            raise TimeoutError(f"{name} did not load")

        def shown_rows(self) -> int:
            """Rows that the filters leave."""
            return int(self.evaluate("document.querySelectorAll('article.row:not([hidden])').length"))

        def shoot(self, file: Path) -> None:  # type: ignore[override]
            """Photograph the first screen."""
            png = self.call("Page.captureScreenshot", format="png")["data"]
            file.write_bytes(base64.b64decode(png))

    return Browser()
