"""Widgets that pages share: the log, the screens, the notices."""

from __future__ import annotations

import asyncio
import time

from PySide6.QtCore import QBuffer, QSize
from PySide6.QtGui import QColor, QImage

from desktop_app.contract.runs import LogLine
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.gallery_data import SampleCore
from desktop_app.ui.models.runs import item_table
from desktop_app.ui.models.table import RowTable
from desktop_app.ui.presenters.notices import Notice
from desktop_app.ui.views.widgets.data_table import DataTable
from desktop_app.ui.views.widgets.frame_decoder import read_frame
from desktop_app.ui.views.widgets.log_view import MOST_LINES, LogView
from desktop_app.ui.views.widgets.screen_tile import ScreenTile
from tests.support.window import until, with_window


def line(text: str, level: str = "info", username: str = "") -> LogLine:
    return LogLine(at=1_763_900_000.0, level=level, username=username, text=text)


def jpeg(width: int, height: int) -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#4353d0"))
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPEG")
    return bytes(buffer.data().data())


def test_the_log_is_filtered_by_level_words_and_account(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        log = LogView(handle.context.theme)
        log.append([line("quiet", "debug"), line("begun", username="pine"), line("bad", "error")])
        log.flush()
        assert [t.split()[-1] for t in log.text.toPlainText().splitlines()] == ["begun", "bad"]
        log.level.setCurrentIndex(3)
        assert log.text.toPlainText().endswith("bad")
        log.level.setCurrentIndex(0)
        assert log.text.blockCount() == 3
        log.show_account("pine")
        assert log.text.toPlainText().endswith("begun")
        log.show_account("")
        log.filter.setText("QUIET")
        await until(lambda: log.text.blockCount() == 1, "the filter")
        assert log.text.toPlainText().endswith("quiet")
        log.filter.clear()
        log.find_line.setText("begun")
        assert log.find_next()
        assert log.text.textCursor().selectedText() == "begun"

    assert with_window(SampleCore(0, time.time()), story) == 0


def test_the_log_keeps_its_newest_lines(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        log = LogView(handle.context.theme)
        log.append(line(f"number {n}") for n in range(MOST_LINES + 500))
        log.flush()
        assert log.text.blockCount() == MOST_LINES
        assert log.text.toPlainText().endswith(f"number {MOST_LINES + 499}")

    assert with_window(SampleCore(0, time.time()), story) == 0


def test_a_frame_is_scaled_down_and_a_broken_one_is_nothing() -> None:
    assert read_frame(jpeg(1280, 800), QSize(320, 200)).size() == QSize(320, 200)
    assert read_frame(b"not a picture", QSize(320, 200)).isNull()
    assert read_frame(b"", QSize(320, 200)).isNull()


def test_the_newest_frame_is_shown(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        tile = ScreenTile(handle.context.theme, handle.context.decoder)
        tile.show_account("a", "pine.cafe", "uploading")
        tile.show()
        tile.take_frame("b", jpeg(64, 40))
        for _ in range(5):
            tile.take_frame("a", jpeg(640, 400))
        await until(tile.has_frame, "a frame")
        tile.show_account("c", "quay.books", "")
        assert not tile.has_frame()
        tile.close()

    assert with_window(SampleCore(0, time.time()), story) == 0


def test_a_notice_offers_its_act_once(qapp: object) -> None:
    done: list[str] = []

    async def story(handle: WindowHandle) -> None:
        view = handle.window.view
        notice = Notice(
            "success", "Held 12 accounts.", act="Undo hold of 12 accounts",
            run=lambda: done.append("undone"),
        )  # fmt: skip
        handle.context.presenters.notices.say(notice)
        handle.context.presenters.notices.say(notice)
        (toast,) = view.toasts.toasts()
        toast._act()
        await asyncio.sleep(0)
        assert not view.toasts.toasts()

    assert with_window(SampleCore(0, time.time()), story) == 0
    assert done == ["undone"]


def shown_columns(table: DataTable) -> list[str]:
    model = table.model()
    assert isinstance(model, RowTable)
    return [c.key for place, c in enumerate(model.columns) if not table.isColumnHidden(place)]


def test_a_narrow_table_leaves_out_what_can_be_spared(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        table = DataTable(handle.context.theme, item_table(), "Items")
        table.resize(1400, 300)
        table.show()
        assert {"driver", "agent", "changed_at"} <= set(shown_columns(table))
        table.resize(840, 300)
        await until(lambda: "agent" not in shown_columns(table), "columns left out")
        assert {"username", "title", "state", "step", "link"} <= set(shown_columns(table))
        assert not table.horizontalScrollBar().isVisible()
        menu = table.column_menu()
        next(action for action in menu.actions() if action.text() == "Driver").trigger()
        assert "driver" in shown_columns(table)
        table.resize(1400, 300)
        await until(lambda: "agent" in shown_columns(table), "columns back")
        table.deleteLater()

    assert with_window(SampleCore(0, time.time()), story) == 0
