"""The real window on a real core, agent and practice platform: what an operator does in a day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from common.domain.states import ItemState, LinkState, SignInState
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.models.cells import Link
from desktop_app.ui.models.table import CELL_ROLE
from desktop_app.ui.views.dialogs.import_accounts import ImportDialog
from desktop_app.ui.views.dialogs.pair_agent import PairDialog
from desktop_app.ui.views.pages.accounts import AccountsPage
from desktop_app.ui.views.pages.agents import AgentsPage
from desktop_app.ui.views.pages.compose import ComposePage
from desktop_app.ui.views.pages.media import MediaPage
from desktop_app.ui.views.pages.runs import RunsPage
from tests.support.sample_media import make_photo
from tests.support.system import Member, System, running_system
from tests.support.window import in_window, until

NAMES = ("harbour.shop", "pine.cafe", "quay.books")
PHOTOS = 2
STORY_SECONDS = 100.0

pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path) as running:
        yield running


async def opened(kind: type[QDialog]) -> QDialog:
    def find() -> QDialog | None:
        found = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
        return found[0] if found else None

    await until(find, f"{kind.__name__} open")
    dialog = find()
    assert dialog is not None
    return dialog


async def press_main(dialog: QDialog) -> None:
    """Press the dialog's main button as soon as it may be, and wait until it has closed."""
    main = next(b for b in dialog.findChildren(QPushButton) if b.isDefault())
    await until(main.isEnabled, "the main button may be pressed")
    main.click()
    await until(lambda: not _is_open(dialog), "the dialog has closed", 60)


def _is_open(dialog: QDialog) -> bool:
    return dialog in QApplication.topLevelWidgets() and dialog.isVisible()


def page(handle: WindowHandle, key: str) -> object:
    handle.show_page(key)
    return handle.window.view.page(key)


async def pair(handle: WindowHandle, line: str) -> None:
    agents = page(handle, "agents")
    assert isinstance(agents, AgentsPage)
    agents.pair()
    dialog = await opened(PairDialog)
    assert isinstance(dialog, PairDialog)
    dialog.line.setText(line)
    await press_main(dialog)
    table = agents.presenter.table
    await until(lambda: [r for r in table.rows() if r.link is LinkState.ONLINE], "agent online", 30)


async def import_accounts(handle: WindowHandle, text: str, url: str) -> None:
    accounts = page(handle, "accounts")
    assert isinstance(accounts, AccountsPage)
    accounts.import_accounts()
    dialog = await opened(ImportDialog)
    assert isinstance(dialog, ImportDialog)
    dialog.platform.setCurrentIndex(1)
    dialog.url.setText(url)
    dialog.tags.setText("coast")
    dialog.text.setPlainText(text + "\nbroken-line")
    await until(lambda: dialog.problems.rowCount() == 1, "the broken line is named")
    assert dialog.problems.shown()[0].line == len(NAMES) + 1
    dialog.text.setPlainText(text)
    dialog.authority.setChecked(True)
    await press_main(dialog)
    await until(lambda: accounts.presenter.table.rowCount() == len(NAMES), "the accounts")


async def sign_in(handle: WindowHandle) -> None:
    accounts = page(handle, "accounts")
    assert isinstance(accounts, AccountsPage)
    accounts.table.selectAll()
    accounts.sign_in(accounts.table.selected_ids())
    table = accounts.presenter.table
    await until(
        lambda: all(row.sign_in is SignInState.SIGNED_IN for row in table.rows()), "signed in", 60
    )


async def compose(handle: WindowHandle, folder: Path) -> None:
    media = page(handle, "media")
    assert isinstance(media, MediaPage)
    files = [str(make_photo(folder / f"{n}.jpg", n, (480, 480))) for n in range(PHOTOS)]
    media.presenter.add(files)
    await until(lambda: media.presenter.table.rowCount() == PHOTOS, "the photos", 30)
    media.grid.selectAll()
    media.compose_wanted.emit(media.grid.selected_ids())
    composer = page(handle, "compose")
    assert isinstance(composer, ComposePage)
    composer.presenter.change(tags=frozenset({"coast"}), caption="{title} by {username}")
    composer.presenter.change(distribution=composer.presenter.draft.distribution.SAME_TO_ALL)
    await until(composer.panel.may_start, "a batch that may start", 20)
    composer.panel.start.click()


async def watch(handle: WindowHandle, expected: int) -> None:
    await until(lambda: handle.window.view.current == "runs", "the runs page", 20)
    runs = handle.window.view.page("runs")
    assert isinstance(runs, RunsPage)
    table = runs.presenter.items.table
    await until(
        lambda: sum(row.state is ItemState.DONE for row in table.rows()) == expected, "done", 90
    )
    table.flush()
    links = [
        table.index(line, column).data(CELL_ROLE)
        for line in range(table.rowCount())
        for column in range(table.columnCount())
    ]
    assert sum(isinstance(cell, Link) and bool(cell.url) for cell in links) == expected
    await until(lambda: runs.detail.log.text.toPlainText(), "the log", 20)
    runs.detail.table.select_ids([table.id_at(0)])
    await until(lambda: len(runs.detail.ledger.timeline.steps) >= 3, "the ledger", 20)


def test_from_the_pairing_line_to_the_links_and_again_after_reopening(
    system: System, qapp: object, tmp_path: Path
) -> None:
    members = [Member(username=name) for name in NAMES]
    system.practice.seed([member.seed() for member in members])
    text = "\n".join(member.line() for member in members)
    expected = len(NAMES) * PHOTOS

    async def first_day(handle: WindowHandle) -> None:
        await pair(handle, system.agent.pair_line())
        await import_accounts(handle, text, system.practice.url)
        await sign_in(handle)
        await compose(handle, tmp_path)
        await watch(handle, expected)

    in_window(system.core.data, first_day, STORY_SECONDS)
    assert system.published_once() == expected

    async def next_day(handle: WindowHandle) -> None:
        fleet = handle.context.fleet
        await until(lambda: fleet.media.is_loaded, "the fleet", 20)
        assert {row.username for row in fleet.accounts.table.rows()} == set(NAMES)
        assert sum(row.posts for row in fleet.accounts.table.rows()) == expected
        page(handle, "runs")
        await watch(handle, expected)

    in_window(system.core.data, next_day, STORY_SECONDS)


def test_the_window_closed_in_the_middle_of_an_upload_loses_nothing(
    system: System, qapp: object, tmp_path: Path
) -> None:
    members = [Member(username=name) for name in NAMES]
    system.practice.seed([member.seed() for member in members])
    text = "\n".join(member.line() for member in members)
    expected = len(NAMES) * PHOTOS

    async def begun(handle: WindowHandle) -> None:
        await pair(handle, system.agent.pair_line())
        await import_accounts(handle, text, system.practice.url)
        await sign_in(handle)
        await compose(handle, tmp_path)
        await until(lambda: handle.window.view.current == "runs", "the run has begun", 20)

    in_window(system.core.data, begun, STORY_SECONDS)

    async def reopened(handle: WindowHandle) -> None:
        await until(lambda: handle.context.fleet.media.is_loaded, "the fleet", 20)
        page(handle, "runs")
        await watch(handle, expected)

    in_window(system.core.data, reopened, STORY_SECONDS)
    assert system.published_once() == expected


def test_a_used_pairing_line_says_what_to_do(system: System, qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        line = system.agent.pair_line()
        await pair(handle, line)
        agents = page(handle, "agents")
        assert isinstance(agents, AgentsPage)
        agents.pair()
        dialog = await opened(PairDialog)
        assert isinstance(dialog, PairDialog)
        dialog.line.setText(line)
        main = next(b for b in dialog.findChildren(QPushButton) if b.isDefault())
        main.click()
        await until(lambda: dialog._words.text(), "the refusal", 30)
        assert "flotilla-agent pair" in dialog._advice.text()
        dialog.reject()

    in_window(system.core.data, story, STORY_SECONDS)
