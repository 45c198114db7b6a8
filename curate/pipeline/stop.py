"""Being asked to stop: the first Ctrl-C or SIGTERM finishes what is in flight, the second ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from curate.errors import Interrupted


class StopSignal:
    """Counts requests to stop while it is entered; outside the main thread it only waits for `request`."""

    def __init__(self) -> None:
        self.count = 0
        self.on_request: Callable[[], None] = lambda: None
        """Called at the first request, so that somebody can say what happens now."""
        self.signal_number = int(signal.SIGINT)
        self._before: dict[int, Any] = {}

    @property
    def requested(self) -> bool:
        """Whether anybody asked to stop."""
        return self.count >= 1

    @property
    def twice(self) -> bool:
        """Whether somebody asked again."""
        return self.count >= 2

    def request(self, signal_number: int = signal.SIGINT, frame: FrameType | None = None) -> None:
        """Ask to stop.

        Raises:
            Interrupted: at the second request, wherever the program is.
        """
        self.signal_number = int(signal_number)
        self.count += 1
        if self.count == 1:
            self.on_request()
        else:
            raise Interrupted(self.signal_number)

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self.request)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
