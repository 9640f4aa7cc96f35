"""Python's cyclic garbage, collected on the window's thread alone.

Left to itself, Python collects on whatever thread happens to allocate next, such as a decoder of
pictures. A widget that is freed there takes Qt down with it. Nothing here knows the product.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

_LOOK_MILLISECONDS = 500


@contextmanager
def collected_here() -> Iterator[None]:
    """Collect garbage on this thread, from its event loop, for as long as the block runs.

    Needs a Qt application; nothing else of the process may turn the collector on meanwhile.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    timer = QTimer()
    timer.setInterval(_LOOK_MILLISECONDS)
    timer.timeout.connect(collect_due)
    timer.start()
    try:
        yield
    finally:
        timer.stop()
        if was_enabled:
            gc.enable()


def collect_due() -> None:
    """Collect the generations whose thresholds are passed, the oldest of them and all younger."""
    due = [
        generation
        for generation, (count, most) in enumerate(
            zip(gc.get_count(), gc.get_threshold(), strict=True)
        )
        if count > most
    ]
    if due:
        gc.collect(due[-1])
