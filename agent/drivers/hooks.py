"""What a runner lends to a driver for one item: a log, a progress line, and a way to be stopped."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from common.errors import OperationCancelledError

LogLevel = Literal["debug", "info", "warning", "error"]


class CancelFlag:
    """Says that the operator wants an item stopped. May be set and read from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask for the stop."""
        self._event.set()

    def is_set(self) -> bool:
        """Say whether the stop was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise OperationCancelledError once the stop was asked for."""
        if self._event.is_set():
            raise OperationCancelledError("Stopped by the operator before it had an effect.")


@dataclass(frozen=True, slots=True)
class ItemHooks:
    """One item's lines to the outside. Every member may be called from any thread."""

    log: Callable[[LogLevel, str], None]
    progress: Callable[[str, float | None], None]
    """A few words on what happens now, and how far it is: 0 to 1, or None."""
    cancel: CancelFlag = field(default_factory=CancelFlag)
