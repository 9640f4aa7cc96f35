"""Pictures of every page in both themes, two sizes and three fleets: `python -m … gallery OUT`.

For looking at, before a commit. The fleet is a sample; nothing is started.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from PySide6.QtCore import QSize

from common.domain.states import ActionState, ItemState
from desktop_app.contract.accounts import MoveResult
from desktop_app.ui.app import WindowHandle, run_with, settle
from desktop_app.ui.gallery_data import SampleCore
from desktop_app.ui.models.cards import CardFilter
from desktop_app.ui.models.core_port import Core
from desktop_app.ui.presenters.agents import AgentsPresenter
from desktop_app.ui.theme.theme import ThemeMode
from desktop_app.ui.views.dialogs.command_palette import CommandPalette
from desktop_app.ui.views.dialogs.import_accounts import ImportDialog
from desktop_app.ui.views.dialogs.move_accounts import MoveAccountsDialog
from desktop_app.ui.views.dialogs.pair_agent import PairDialog
from desktop_app.ui.views.main_window import PLACES
from desktop_app.ui.views.pages.accounts import AccountsPage
from desktop_app.ui.views.pages.agents import AgentsPage
from desktop_app.ui.views.pages.compose import ComposePage
from desktop_app.ui.views.pages.needs_you import NeedsYouPage
from desktop_app.ui.views.pages.runs import RunsPage

SIZES = (QSize(1280, 800), QSize(1920, 1080))
FLEETS = (0, 12, 5000)
MODES = (ThemeMode.DARK, ThemeMode.LIGHT)
_BROKEN = "harbour.shop:seaside\npine.cafe\nquay.books:tides:JBSWY3DPEHPK3PXP\nlantern"


def main(arguments: Sequence[str]) -> int:
    """Write the pictures into the folder in `arguments`."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("Usage: python -m desktop_app.ui.gallery FOLDER\n")
        return 2
    folder = Path(arguments[0])
    for rows in FLEETS:
        status = take_pictures(folder, rows)
        if status:
            return status
    return 0


def take_pictures(folder: Path, rows: int) -> int:
    """Write the pictures of one fleet; returns the exit status."""

    async def connect() -> Core:
        return SampleCore(rows, time.time())

    async def beside(handle: WindowHandle) -> int:
        await _fill(handle)
        for mode, size in product(MODES, SIZES):
            handle.context.theme.set_mode(mode)
            handle.window.resize(size)
            name = f"{rows}-{mode.value}-{size.width()}"
            await handle.grab_pages(folder / name, tuple(place.key for place in PLACES))
            if rows:
                await _doubts(handle, folder / name)
            if rows == FLEETS[1] and size == SIZES[0]:
                await _dialogs(handle, folder / name)
        return 0

    return run_with(connect, beside=beside)


async def _fill(handle: WindowHandle) -> None:
    """Bring the pages into a state of use: something selected, something drafted."""
    await settle(handle.context.tasks)
    view, fleet = handle.window.view, handle.context.fleet
    accounts, compose, runs = view.page("accounts"), view.page("compose"), view.page("runs")
    if not fleet.accounts.table.total:
        return
    if isinstance(accounts, AccountsPage):
        accounts.show_account(accounts.presenter.table.id_at(2))
    agents = view.page("agents")
    if isinstance(agents, AgentsPage):
        agents.table.select_ids(agents.presenter.table.shown_ids()[:1])
        agents.inspect()
    if isinstance(compose, ComposePage):
        files = [row.sha256 for row in list(fleet.media.table.rows())[:7]]
        compose.presenter.change(
            tags=frozenset({"Coast", "Cafés"}),
            posts=(*((key,) for key in files[:4]), tuple(files[4:7])),
            caption="{title}, by {full_name}.\nFreshly in at the quay.",
            hashtags="harbour coast",
        )
    if isinstance(runs, RunsPage):
        await settle(handle.context.tasks)
        items = runs.presenter.items.table
        for item in items.shown():
            if item.state is ItemState.RUNNING:
                runs.detail.table.scrollTo(items.index(items.line(item.id) or 0, 0))
                break


async def _doubts(handle: WindowHandle, folder: Path) -> None:
    """Save pictures of ledgers, of cards in each list, and of what control says in place."""
    window, tasks = handle.window, handle.context.tasks
    accounts, runs, needs = (window.view.page(key) for key in ("accounts", "runs", "needs"))
    if not (
        isinstance(accounts, AccountsPage)
        and isinstance(runs, RunsPage)
        and isinstance(needs, NeedsYouPage)
    ):
        return

    async def save(page: str, name: str) -> None:
        window.view.show_page(page)
        await settle(tasks)
        window.grab().save(str(folder / f"{name}.png"))

    items = runs.presenter.items.table
    for state in (ActionState.CONFIRMED, ActionState.SENDING, ActionState.RECONCILING):
        chosen = next((i for i in items.shown() if i.action is state and i.position % 4 != 2), None)
        if chosen is not None:
            runs.show_item(chosen.run_id, chosen.id)
            await save("runs", f"runs-ledger-{state}")
    runs.detail.table.select_ids([item.id for item in items.shown()[:5]])
    await save("runs", "runs-selection")
    runs.detail.table.clearSelection()
    accounts.show_ledger()
    await settle(tasks)
    for view in accounts.ledger.stories()[:1]:
        view.unfold(True)
    accounts.work.control("pause", account_ids=accounts.table.selected_ids())
    await save("accounts", "accounts-ledger")
    accounts.work.dismiss()
    accounts.inspector.go_to(accounts.inspector.facts)
    for place, card in enumerate(needs.presenter.open.shown()[1:4], start=1):
        needs.show_card(card.id)
        await save("needs", f"needs-{place}")
    needs.detail.acts.answer("publish_it")
    await save("needs", "needs-confirm")
    for listed in (CardFilter.ANSWERED, CardFilter.RESOLVED, CardFilter.WAITING):
        needs.lists.chosen.emit(frozenset({listed.value}))
        if listed is not CardFilter.WAITING:
            await save("needs", f"needs-{listed}")


async def _dialogs(handle: WindowHandle, folder: Path) -> None:
    """Save pictures of the dialogs and the palette."""
    window, context = handle.window, handle.context
    accounts = window.view.page("accounts")
    if not isinstance(accounts, AccountsPage):
        return
    dialog = ImportDialog(
        context.theme, window, context.tasks, accounts.presenter.try_import, "http://127.0.0.1:8700"
    )
    dialog.text.setPlainText(_BROKEN)
    dialog.open()
    await settle(context.tasks)
    dialog.grab().save(str(folder / "import.png"))
    dialog.close()
    pair = PairDialog(
        context.theme, window, context.tasks, AgentsPresenter(context.presenters).pair
    )
    pair.open()
    pair.grab().save(str(folder / "pair.png"))
    pair.close()
    await _move_dialog(handle, accounts, folder)
    window.view.open_palette()
    await settle(context.tasks)
    for palette in window.view.findChildren(CommandPalette):
        palette.grab().save(str(folder / "palette.png"))
        palette.close()


async def _move_dialog(handle: WindowHandle, accounts: AccountsPage, folder: Path) -> None:
    context = handle.context
    rows = list(accounts.presenter.table.rows())[:6]

    async def move(ids: Sequence[str], agent_id: str, accept: bool) -> MoveResult:
        return await accounts.work.move(ids, agent_id, accept_risk=accept)

    dialog = MoveAccountsDialog(
        context.theme, handle.window, context.tasks, rows, accounts.work.agents(), move
    )
    dialog.open()
    await settle(context.tasks)
    dialog.grab().save(str(folder / "move.png"))
    dialog.main.click()
    await settle(context.tasks)
    dialog.grab().save(str(folder / "move-refused.png"))
    dialog.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
