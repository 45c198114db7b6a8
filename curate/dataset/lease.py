"""One run at a time in a folder of another place, where no lock dies with its process: a file there that is renewed."""

from __future__ import annotations

import json
import os
import platform
import threading
import uuid
from contextlib import suppress
from typing import Any

from curate.dataset.remote import Remote, reaching
from curate.errors import CurateError, OutputError

LEASE = ".curate-lease"
"""Name of the file."""
_RENEWED = 15.0
"""Seconds between renewals."""
_LOOKS = 8
_WATCHED = 40.0
"""Seconds without a renewal after which the holder is taken for dead. No clock of another machine is asked."""


class Lease:
    """Held while the context is entered.

    Args:
        url: The folder.
        watched: Seconds that the lease of somebody who may be dead is watched.

    Raises:
        OutputError: somebody else holds it.
    """

    def __init__(self, url: str, watched: float = _WATCHED) -> None:
        self._url = url
        self._remote = Remote(url)
        self._path = self._remote.path(LEASE)
        self._watched = watched
        self._own = {"holder": uuid.uuid4().hex, "machine": platform.node(), "process": os.getpid()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Lease:
        with reaching(self._url):
            while not self._take():
                self._wait_for_the_dead()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if (self._read() or {}).get("holder") == self._own["holder"]:
            self._remote.remove(LEASE)

    def _take(self) -> bool:
        try:
            self._remote.system.pipe_file(self._path, self._text(), mode="create")
        except FileExistsError:
            return False
        except FileNotFoundError as error:
            raise OutputError(f"{self._url}: there is no such bucket; make it first, or name another") from error
        return True

    def _text(self) -> bytes:
        return json.dumps({**self._own, "renewal": uuid.uuid4().hex}).encode()

    def _read(self) -> dict[str, Any] | None:
        """What the lease says; None where there is none. One that cannot be read says nothing."""
        try:
            with reaching(self._url):
                value = json.loads(self._remote.system.cat_file(self._path))
        except FileNotFoundError:
            return None
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def _wait_for_the_dead(self) -> None:
        """Remove the lease of a run that was killed.

        Raises:
            OutputError: its holder lives.
        """
        seen = self._read()
        if seen is None:
            return
        if self._holder_lives(seen):
            raise OutputError(
                f"another run of curate works in {self._url} (process {seen.get('process')} on "
                f"{seen.get('machine')}); wait for it, or choose another place"
            )
        self._remote.remove(LEASE)

    def _holder_lives(self, seen: dict[str, Any]) -> bool:
        """A process of this machine is asked for; of another it is watched whether it renews its lease."""
        if seen.get("machine") == self._own["machine"]:
            return _lives(seen.get("process"))
        for _ in range(_LOOKS):
            self._over.wait(self._watched / _LOOKS)
            if self._read() != seen:
                return True
        return False

    def _renew(self) -> None:
        while not self._over.wait(_RENEWED):
            with suppress(CurateError, OSError), reaching(self._url):  # unreachable for a while; the run itself says so
                if (self._read() or {}).get("holder") != self._own["holder"]:
                    return  # this machine slept so long that it was taken for dead
                self._remote.system.pipe_file(self._path, self._text())


def _lives(process: Any) -> bool:
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (TypeError, ValueError, OSError):
        return True
    return True
