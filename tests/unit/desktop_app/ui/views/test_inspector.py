"""The inspector: what its buttons do is done to the row that it shows."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QPushButton

from common.errors import ProxyFailedError
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.gallery_data import SampleCore
from desktop_app.ui.views.widgets.inspector import Act, Inspector
from tests.support.window import with_window


def press(inspector: Inspector, text: str) -> None:
    shown = [b for b in inspector.findChildren(QPushButton) if not b.isHidden()]
    next(b for b in shown if b.text().strip() == text).click()


def test_buttons_act_on_the_row_that_is_shown_now(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        inspector = Inspector(handle.context.theme, "boats")
        done: list[str] = []
        error = ProxyFailedError("The proxy is gone.").to_wire()
        for name in ("first", "second"):
            inspector.show_error(error, Act("Mend", lambda name=name: done.append(f"mend {name}")))
            inspector.show_acts(
                [
                    Act("Delete", lambda name=name: done.append(f"delete {name}")),
                    Act("Work", menu=(("Pause", "pause", lambda name=name: done.append(name)),)),
                ]
            )
        press(inspector, "Mend")
        press(inspector, "Delete")
        menu = next(b.menu() for b in inspector.findChildren(QPushButton) if b.menu())
        menu.actions()[0].trigger()
        assert done == ["mend second", "delete second", "second"]

    assert with_window(SampleCore(0, time.time()), story) == 0


def test_tabs_are_added_beside_the_facts(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        inspector = Inspector(handle.context.theme, "boats")
        log = QPushButton("Log")
        inspector.add_tab(log, "Log")
        inspector.show()
        assert not inspector.is_on(log)
        inspector.go_to(log)
        assert inspector.is_on(log)
        inspector.go_to(inspector.facts)
        assert not inspector.is_on(log)
        inspector.close()

    assert with_window(SampleCore(0, time.time()), story) == 0
