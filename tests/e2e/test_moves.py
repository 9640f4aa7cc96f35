"""The operator lets an agent drain, and moves an account away from one that does not come back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from common.domain.states import ActionState, ItemState, LinkState
from desktop_app.contract.accounts import AccountRow
from desktop_app.contract.agents import AgentRow
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.views.dialogs.move_accounts import MoveAccountsDialog
from desktop_app.ui.views.pages.accounts import AccountsPage
from desktop_app.ui.views.pages.agents import AgentsPage
from desktop_app.ui.views.pages.runs import RunsPage
from tests.support.agent_process import AgentProcess
from tests.support.system import CONFIGURE, Member, System
from tests.support.window import in_window, until

SHOP = Member(username="harbour.shop")
SLOW_MS = 4_000
"""Long enough for the agent to be killed while the deciding request is on its way."""
STORY_SECONDS = 160.0

pytestmark = pytest.mark.timeout(260)


@pytest.fixture
def second(tmp_path: Path) -> Iterator[AgentProcess]:
    with AgentProcess.start(tmp_path / "second") as agent:
        yield agent


def agents_page(handle: WindowHandle) -> AgentsPage:
    page = handle.window.view.show_page("agents")
    assert isinstance(page, AgentsPage)
    return page


def agent_of(handle: WindowHandle, agent_id: str) -> AgentRow:
    row = handle.context.fleet.agents.table.row(agent_id)
    assert row is not None
    return row


def account_of(handle: WindowHandle) -> AccountRow:
    (row,) = handle.context.fleet.accounts.table.rows()
    return row


async def drain_and_resume(handle: WindowHandle, agent_id: str) -> None:
    page = agents_page(handle)
    await until(lambda: page.table.isVisible() and page.presenter.rows_of([agent_id]), "the agent")
    page.table.select_ids([agent_id])
    handle.context.commands.get("agents.drain").run()
    await until(lambda: agent_of(handle, agent_id).is_draining, "it drains")
    page.drain([agent_id], False)
    await until(lambda: not agent_of(handle, agent_id).is_draining, "it has work again")


async def open_move(handle: WindowHandle, account_id: str) -> MoveAccountsDialog:
    page = handle.window.view.show_page("accounts")
    assert isinstance(page, AccountsPage)
    await until(lambda: page.presenter.rows_of([account_id]), "the account")
    page.move_to_agent([account_id])

    def opened() -> list[MoveAccountsDialog]:
        found = handle.window.findChildren(MoveAccountsDialog)
        return [dialog for dialog in found if dialog.isVisible()]

    await until(opened, "the dialog")
    return opened()[0]


async def move_all_the_same(dialog: MoveAccountsDialog, agent_id: str) -> None:
    """Choose the agent, be told of the risk, and accept it."""
    dialog.agent.setCurrentIndex(dialog.agent.findData(agent_id))
    dialog.main.click()
    await until(dialog._risks.isVisible, "the risk")
    said = " ".join(words.text() for words in dialog._risks.findChildren(QLabel))
    assert SHOP.username in said
    assert "accept the risk" in said
    assert not dialog.main.isEnabled()
    dialog.accept_risk.setChecked(True)
    results: list[int] = []
    dialog.finished.connect(results.append)
    dialog.main.click()
    await until(lambda: results, "it is moved", 30)


async def until_action(handle: WindowHandle, run_id: str, state: ActionState) -> RunsPage:
    handle.show_page("runs", run_id)
    page = handle.window.view.page("runs")
    assert isinstance(page, RunsPage)
    table = page.presenter.items.table
    await until(lambda: [row.action for row in table.rows()] == [state], str(state), 90)
    return page


def test_an_account_leaves_an_agent_that_does_not_come_back(
    system: System, second: AgentProcess, qapp: QApplication
) -> None:
    first_id = system.agent.agent_id

    async def story(handle: WindowHandle) -> None:
        async with system.core.client() as client:
            names = await system.enrol(client, [SHOP])
            await system.sign_in(client, names)
            await drain_and_resume(handle, first_id)
            next_id = (await system.pair(client, second.pair_line())).id
            system.practice.fault("delay_ms", CONFIGURE, account=SHOP.username, delay_ms=SLOW_MS)
            system.practice.fault("drop_after_apply", CONFIGURE, account=SHOP.username)
            run_id = await system.upload(client, names, await system.photos(client, 1))
        await until_action(handle, run_id, ActionState.SENDING)
        await asyncio.to_thread(system.agent.kill)
        await until(lambda: agent_of(handle, first_id).link is not LinkState.ONLINE, "away", 60)
        account = account_of(handle)
        assert account.agent_id == first_id
        await until(lambda: system.published_once(SHOP.username) == 1, "it arrived all the same")

        await move_all_the_same(await open_move(handle, account.id), next_id)

        await until(lambda: account_of(handle).agent_id == next_id, "the window shows it")
        page = await until_action(handle, run_id, ActionState.CONFIRMED)
        (item,) = page.presenter.items.table.rows()
        assert (item.state, item.agent_id) == (ItemState.DONE, next_id)

    in_window(system.core.data, story, STORY_SECONDS)
    assert system.published_once(SHOP.username) == 1
