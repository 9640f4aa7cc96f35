"""Widgets in a cycle are freed on the window's thread, whichever thread allocates."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from pytestqt.qtbot import QtBot

from desktop_app.ui.garbage import collected_here


class _Knot:
    """Something that only the collector frees."""

    def __init__(self, freed_on: list[threading.Thread]) -> None:
        self.myself = self
        weakref.finalize(self, lambda: freed_on.append(threading.current_thread()))


def test_another_thread_frees_nothing(qtbot: QtBot) -> None:
    freed_on: list[threading.Thread] = []
    with collected_here():
        _Knot(freed_on)
        kept: list[list[int]] = []
        other = threading.Thread(target=lambda: kept.extend([] for _ in range(200_000)))
        other.start()
        other.join()
        assert freed_on == []
        qtbot.waitUntil(lambda: bool(freed_on))
    assert freed_on == [threading.main_thread()]


@pytest.mark.usefixtures("qapp")
def test_the_collector_is_as_before_afterwards() -> None:
    before = gc.isenabled()
    gc.enable()
    try:
        with collected_here():
            assert not gc.isenabled()
        assert gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()
