"""Every page, in both themes, with no rows, a few and many: complete, named, and nothing cut."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from desktop_app.ui.app import WindowHandle, settle
from desktop_app.ui.gallery_data import SampleCore
from desktop_app.ui.theme.theme import ThemeMode
from desktop_app.ui.views.main_window import PLACES
from desktop_app.ui.views.pages.accounts import AccountsPage
from tests.support.window import until, with_window

CONTROLS = (QAbstractButton, QLineEdit, QPlainTextEdit, QComboBox, QAbstractItemView)
INNER = ("qt_spinbox_lineedit", "qt_scrollarea_viewport", "ScrollLeftButton", "ScrollRightButton")


def controls(page: QWidget) -> list[QWidget]:
    found = [w for w in page.findChildren(QWidget) if isinstance(w, CONTROLS) and w.isVisible()]
    return [
        w for w in found if w.objectName() not in INNER and not isinstance(w.parent(), CONTROLS)
    ]


@pytest.mark.parametrize("rows", [0, 12, 400])
def test_every_page_is_complete_in_both_themes(rows: int, qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        looks = ((QSize(1080, 680), ThemeMode.LIGHT), (QSize(1920, 1080), ThemeMode.DARK))
        for size, mode in looks:
            handle.window.resize(size)
            handle.context.theme.set_mode(mode)
            for place in PLACES:
                page = handle.window.view.show_page(place.key)
                await settle(handle.context.tasks, 0.5)
                check_names(place.key, page)
                check_words(place.key, page)
                check_picture(handle.window)

    assert with_window(SampleCore(rows, time.time()), story) == 0


def check_names(key: str, page: QWidget) -> None:
    nameless = [w for w in controls(page) if not (w.accessibleName() or w.windowTitle())]
    assert not nameless, f"{key}: no accessible name: {nameless}"


def check_words(key: str, page: QWidget) -> None:
    """No button is narrower or lower than its words."""
    cut = [
        f"{b.text()!r}: {b.size().toTuple()} of {b.sizeHint().toTuple()}"
        for b in controls(page)
        if isinstance(b, (QPushButton, QToolButton))
        and b.text()
        and (b.width() < b.sizeHint().width() or b.height() < b.fontMetrics().height() + 4)
    ]
    assert not cut, f"{key}: cut: {cut}"


def check_picture(window: QWidget) -> None:
    """The page is not one flat colour."""
    image = window.grab().toImage()
    step = max(image.width() // 64, 1)
    seen = {
        image.pixel(x, y)
        for x in range(0, image.width(), step)
        for y in range(0, image.height(), step)
    }
    assert len(seen) > 3


def test_the_tab_key_visits_every_control_of_a_page(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        page = handle.window.view.show_page("accounts")
        await until(lambda: handle.context.fleet.accounts.is_loaded, "the accounts")
        wanted = {w for w in controls(page) if w.focusPolicy() & Qt.FocusPolicy.TabFocus}
        seen: set[QWidget] = set()
        at: QWidget = page
        for _ in range(2000):
            at = at.nextInFocusChain()
            seen.add(at)
            if at is page:
                break
        assert wanted
        assert wanted <= seen

    assert with_window(SampleCore(12, time.time()), story) == 0


def test_a_filter_that_hides_everything_says_so_and_is_cleared(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        page = handle.window.view.show_page("accounts")
        assert isinstance(page, AccountsPage)
        await until(lambda: page.presenter.table.rowCount() == 12, "the accounts")
        assert page.search is not None
        page.search.setText("nobody has this name")
        await until(lambda: page.presenter.table.rowCount() == 0, "the search")
        assert page.stack.currentWidget() is page.empty
        page.empty.findChild(QPushButton).click()
        await until(lambda: page.presenter.table.rowCount() == 12, "all accounts again")
        assert page.search.text() == ""

    assert with_window(SampleCore(12, time.time()), story) == 0


def test_selecting_many_accounts_offers_acts_for_all_of_them(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        page = handle.window.view.show_page("accounts")
        assert isinstance(page, AccountsPage)
        await until(lambda: page.presenter.table.rowCount() == 12, "the accounts")
        assert page.bulk.isHidden()
        page.table.selectAll()
        assert page.bulk.isVisible()
        assert len(page.table.selected_ids()) == 12

    assert with_window(SampleCore(12, time.time()), story) == 0


@pytest.mark.parametrize("width", [1080, 1920])
def test_the_acts_on_many_rows_fit_over_their_table(width: int, qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        handle.window.resize(width, 800)
        page = handle.window.view.show_page("accounts")
        assert isinstance(page, AccountsPage)
        await until(lambda: page.presenter.table.rowCount() == 12, "the accounts")
        page.show_account(page.presenter.table.id_at(0))
        page.table.selectAll()
        await settle(handle.context.tasks, 0.5)
        host = page.bulk.parentWidget()
        assert host is not None
        assert host.rect().contains(page.bulk.geometry())
        check_names("the bulk bar", page.bulk)
        words = [b.text() for b in page.bulk.findChildren(QPushButton)]
        assert any(words) == (width == 1920)

    assert with_window(SampleCore(12, time.time()), story) == 0


def test_a_selection_survives_sorting_and_filtering(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        page = handle.window.view.show_page("accounts")
        assert isinstance(page, AccountsPage)
        await until(lambda: page.presenter.table.total == 400, "the accounts")
        account = page.presenter.table.id_at(7)
        page.table.select_ids([account])
        page.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        assert page.table.selected_ids() == [account]
        row = page.presenter.table.row(account)
        assert row is not None
        page.presenter.set_search(row.username)
        assert page.table.selected_ids() == [account]

    assert with_window(SampleCore(400, time.time()), story) == 0
