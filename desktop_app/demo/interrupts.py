"""What Ctrl+C, SIGTERM and a closed terminal do, from the demo's first moment to its last.

It imports the standard library alone. Before a process is started they end the program on the
spot: an exception could be lost in the depths of an import. Then they interrupt, so that every
process is ended. While that is done they are passed over: half a clean-up would leave processes
behind.
"""

import contextlib
import os
import signal
from collections.abc import Iterator

STATUS_INTERRUPTED = 130
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def leave_at_once() -> None:
    """From now on, end the program without a word; for as long as nothing needs to be ended."""

    def leave(*_: object) -> None:
        os._exit(STATUS_INTERRUPTED)

    for number in _SIGNALS:
        signal.signal(number, leave)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt for each of them."""

    def interrupt(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    with _restored():
        for number in _SIGNALS:
            signal.signal(number, interrupt)
        # The very handler that asyncio looks for, and replaces with one that cancels.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Pass over all of them."""
    with _restored():
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        yield


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
