"""The one close path: window closed, SIGTERM, Ctrl+C and the demo's end all come here."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from PySide6.QtCore import QTimer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_WINDOWS_TICK_MILLISECONDS = 200


class Wish(Enum):
    """Who wants the window closed."""

    OPERATOR = "operator"
    """The window's close button: may be asked back."""
    SYSTEM = "system"
    """A signal or the program itself: is not asked back."""


class Shutdown:
    """Says when to close."""

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self._wish = Wish.SYSTEM

    @property
    def is_wanted(self) -> bool:
        """True once somebody wants the window closed."""
        return self._wanted.is_set()

    def request(self, wish: Wish = Wish.SYSTEM) -> None:
        """Ask for the window to be closed; an operator's wish does not soften another's."""
        if not self.is_wanted or wish is Wish.SYSTEM:
            self._wish = wish
        self._wanted.set()

    def withdraw(self) -> None:
        """Take a wish back, while the operator is asked; a new one counts as such."""
        self._wanted.clear()

    async def wait(self) -> Wish:
        """Wait until the window is to be closed; returns who wants it."""
        await self._wanted.wait()
        return self._wish


@contextmanager
def heed_signals(shutdown: Shutdown) -> Iterator[None]:
    """Let SIGINT and SIGTERM close the window, while in the context."""
    if sys.platform == "win32":
        with _heed_on_windows(shutdown):
            yield
        return
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, shutdown.request)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def _heed_on_windows(shutdown: Shutdown) -> Iterator[None]:
    """Python runs a handler only between its own instructions: a timer makes for some."""
    before = {number: signal.signal(number, lambda *_: shutdown.request()) for number in _SIGNALS}
    tick = QTimer()
    tick.timeout.connect(lambda: None)
    tick.start(_WINDOWS_TICK_MILLISECONDS)
    try:
        yield
    finally:
        tick.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
