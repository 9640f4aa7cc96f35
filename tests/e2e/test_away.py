"""What the operator asks of an agent that is away: kept, shown as that, done once it is back."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QApplication

from common.domain.states import ActionState, ItemState
from desktop_app.contract.cards import CardRow
from desktop_app.contract.runs import ItemRow
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.models.cells import Text
from desktop_app.ui.models.table import CELL_ROLE
from desktop_app.ui.views.pages.needs_you import NeedsYouPage
from desktop_app.ui.views.pages.runs import RunsPage
from tests.support.command_line import flotilla
from tests.support.system import AT_REST, CONFIGURE, Member, System
from tests.support.window import in_window, until

SHOP = Member(username="harbour.shop")
SLOW_MS = 4_000
"""Long enough for something else to happen while the deciding request is on its way."""
STORY_SECONDS = 130.0

pytestmark = pytest.mark.timeout(260)


async def send_and_lose(system: System) -> str:
    """Start a post whose request is slow, and lost before the platform takes it."""
    async with system.core.client() as client:
        names = await system.enrol(client, [SHOP])
        await system.sign_in(client, names)
        system.practice.fault("delay_ms", CONFIGURE, account=SHOP.username, delay_ms=SLOW_MS)
        system.practice.fault("drop_before_apply", CONFIGURE, account=SHOP.username)
        return await system.upload(client, names, await system.photos(client, 1))


def runs_page(handle: WindowHandle, run_id: str) -> RunsPage:
    handle.show_page("runs", run_id)
    page = handle.window.view.page("runs")
    assert isinstance(page, RunsPage)
    return page


async def the_item(page: RunsPage) -> ItemRow:
    table = page.presenter.items.table
    await until(table.rows, "the item", 30)
    (row,) = table.rows()
    return row


async def until_sending(page: RunsPage) -> ItemRow:
    table = page.presenter.items.table
    await until(lambda: [row.action for row in table.rows()] == [ActionState.SENDING], "sent", 60)
    return await the_item(page)


def step_cell(page: RunsPage) -> Text:
    """The cell that says what the item does, as the table shows it."""
    table = page.presenter.items.table
    place = next(n for n, column in enumerate(table.columns) if column.key == "step")
    cell = table.index(0, place).data(CELL_ROLE)
    assert isinstance(cell, Text)
    return cell


def test_an_answer_is_kept_for_an_agent_that_is_away(system: System, qapp: QApplication) -> None:
    async def story(handle: WindowHandle) -> None:
        run_id = await send_and_lose(system)
        runs = runs_page(handle, run_id)
        await until_sending(runs)
        await asyncio.to_thread(system.post_by_phone, SHOP.username, "Closed")
        needs = handle.window.view.show_page("needs")
        assert isinstance(needs, NeedsYouPage)
        await until(needs.presenter.open.rows, "the card", 60)
        (card,) = needs.presenter.open.rows()
        needs.show_card(card.id)
        await asyncio.to_thread(system.agent.stop)
        await until(lambda: not shown(needs).agent_online, "the agent is away", 60)

        needs.detail.acts.answer("publish_it")
        needs.detail.acts.publish.click()

        await until(lambda: shown(needs).answer == "publish_it", "the answer is kept")
        words = needs.detail._answer_text
        assert "told when it links again" in words.text()
        assert words.isVisible()
        assert shown(needs).resolved_at is None
        assert system.published_once() == 1, "the phone's"
        await asyncio.to_thread(system.restart_agent)
        await until(lambda: needs.presenter.open.row(card.id) is None, "the agent took it", 60)
        runs = runs_page(handle, run_id)
        table = runs.presenter.items.table
        await until(lambda: [r.state for r in table.rows()] == [ItemState.DONE], "published", 60)

    in_window(system.core.data, story, STORY_SECONDS)
    assert system.published_once() == 2, "the operator's and the phone's"


def shown(page: NeedsYouPage) -> CardRow:
    card = page.presenter.card
    assert card is not None
    return card


def test_a_cancel_asked_of_an_agent_that_is_away_shows_in_every_client(
    system: System, qapp: QApplication
) -> None:
    run_ids: list[str] = []

    async def ask(handle: WindowHandle) -> None:
        run_ids.append(await send_and_lose(system))
        page = runs_page(handle, run_ids[0])
        item = await until_sending(page)
        assert step_cell(page).text == "Point of no return"
        await asyncio.to_thread(system.agent.kill)
        await until(lambda: handle.context.fleet.overview.agents_online == 0, "it is away", 60)
        page.presenter.control("cancel")
        await until(lambda: step_cell(page).text == "Cancel asked", "it is asked")
        assert "hears of it when it is back" in step_cell(page).after
        page.show_item(item.run_id, item.id)
        notice = page.detail.ledger.notice_words
        await until(lambda: notice.text().startswith("Point of no return: Cancel asked"), "why")
        assert not page.detail.ledger.cancel.isEnabled()

    async def look_again(handle: WindowHandle) -> None:
        page = runs_page(handle, run_ids[0])
        item = await the_item(page)
        assert (item.wanted, item.agent_online) == ("cancelled", False)
        assert step_cell(page).text == "Cancel asked"
        said = await flotilla(system.core.data, "runs", "items", run_ids[0])
        assert [(each["wanted"], each["agent_online"]) for each in said.value] == [
            ("cancelled", False)
        ]
        await asyncio.to_thread(system.restart_agent)
        table = page.presenter.items.table
        await until(lambda: all(row.state in AT_REST for row in table.rows()), "at rest", 90)
        assert [row.state for row in table.rows()] == [ItemState.CANCELLED], table.rows()

    in_window(system.core.data, ask, STORY_SECONDS)
    in_window(system.core.data, look_again, STORY_SECONDS)
    assert system.published() == []
