"""The window settles what Flotilla cannot: a real doubt, both of its sides, and the answers."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QApplication

from common.domain.states import ActionState, ItemState
from desktop_app.contract.cards import CardRow
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.models.cards import CardFilter
from desktop_app.ui.views.pages.accounts import AccountsPage
from desktop_app.ui.views.pages.needs_you import NeedsYouPage
from desktop_app.ui.views.pages.runs import RunsPage
from desktop_app.ui.views.widgets.sighting import SightingTile
from tests.support.system import CONFIGURE, Member, System
from tests.support.window import in_window, until

THERE, NOT_THERE = "harbour.shop", "pine.cafe"
"""Accounts whose post was published, and was not, when the connection broke."""
SLOW_MS = 3_000
"""Long enough for another post to be made while the deciding request is on its way."""
STORY_SECONDS = 130.0

pytestmark = pytest.mark.timeout(240)


async def publish_into_doubt(system: System) -> str:
    """Start two posts whose answers are lost, one of them before it was published."""
    async with system.core.client() as client:
        names = await system.enrol(client, [Member(username=THERE), Member(username=NOT_THERE)])
        await system.sign_in(client, names)
        for name, kind in ((THERE, "drop_after_apply"), (NOT_THERE, "drop_before_apply")):
            system.practice.fault("delay_ms", CONFIGURE, account=name, delay_ms=SLOW_MS)
            system.practice.fault(kind, CONFIGURE, account=name)
        return await system.upload(client, names, await system.photos(client, 1))


def runs_page(handle: WindowHandle, run_id: str) -> RunsPage:
    handle.show_page("runs", run_id)
    page = handle.window.view.page("runs")
    assert isinstance(page, RunsPage)
    return page


def needs_page(handle: WindowHandle) -> NeedsYouPage:
    handle.show_page("needs")
    page = handle.window.view.page("needs")
    assert isinstance(page, NeedsYouPage)
    return page


async def while_sending(system: System, runs: RunsPage) -> None:
    """See both posts past the point of no return, and publish others meanwhile."""
    table = runs.presenter.items.table
    await until(
        lambda: [row.action for row in table.rows()] == [ActionState.SENDING] * 2, "sending", 40
    )
    item = next(row for row in table.rows() if row.username == THERE)
    runs.show_item(item.run_id, item.id)
    await until(lambda: runs.detail.ledger.timeline.steps, "the ledger", 10)
    assert not runs.detail.ledger.cancel.isEnabled()
    await asyncio.gather(
        asyncio.to_thread(system.post_by_phone, THERE, item.caption),
        asyncio.to_thread(system.post_by_phone, NOT_THERE, "Closed on Monday"),
    )


async def card_of(page: NeedsYouPage, username: str) -> CardRow:
    def find() -> CardRow | None:
        rows = page.presenter.open.rows()
        return next((card for card in rows if card.username == username), None)

    await until(find, f"the card of {username}", 60)
    card = find()
    assert card is not None
    return card


async def say_it_is_there(page: NeedsYouPage) -> None:
    """Two posts have the caption; the operator takes the link of the one that it is."""
    card = await card_of(page, THERE)
    page.show_card(card.id)
    assert card.ours is not None
    assert card.ours.media
    assert card.theirs is not None
    await until(lambda: len(tiles_of(page)) == 2, "both posts that it may be")
    tiles_of(page)[0].use.click()
    page.detail.acts.answer("it_is_there")
    await until(lambda: page.presenter.open.row(card.id) is None, "the card is settled", 30)


def tiles_of(page: NeedsYouPage) -> list[SightingTile]:
    return [tile for tile in page.detail.findChildren(SightingTile) if tile.isVisible()]


async def have_it_published(page: NeedsYouPage) -> None:
    """The one post that came meanwhile is another one, as its caption shows."""
    card = await card_of(page, NOT_THERE)
    page.show_card(card.id)
    assert card.theirs is not None
    assert [post.caption for post in card.theirs.posts] == ["Closed on Monday"]
    page.detail.acts.answer("publish_it")
    assert page.detail.acts.confirm.isVisible()
    page.detail.acts.publish.click()
    await until(lambda: page.presenter.open.row(card.id) is None, "the card is settled", 30)


def test_the_operator_settles_what_flotilla_cannot(system: System, qapp: QApplication) -> None:
    async def story(handle: WindowHandle) -> None:
        run_id = await publish_into_doubt(system)
        runs = runs_page(handle, run_id)
        await while_sending(system, runs)
        needs = needs_page(handle)
        await say_it_is_there(needs)
        await have_it_published(needs)
        assert needs.presenter.counts()[CardFilter.RESOLVED] == 2
        await the_ledgers_say_what_settled_it(handle, run_id)
        await the_account_has_it_too(handle)

    in_window(system.core.data, story, STORY_SECONDS)
    assert system.published_once(THERE) == 2, "the operator's and the phone's"
    assert system.published_once(NOT_THERE) == 2


async def the_ledgers_say_what_settled_it(handle: WindowHandle, run_id: str) -> None:
    runs = runs_page(handle, run_id)
    table = runs.presenter.items.table
    await until(lambda: {row.state for row in table.rows()} == {ItemState.DONE}, "done", 60)
    for row in list(table.rows()):
        runs.show_item(run_id, row.id)
        await until(lambda row=row: is_ledger_of(runs, row.id), "the ledger")
        steps = runs.detail.ledger.timeline.steps
        pills = [step.pill.text for step in steps]
        assert pills[-1] == "Confirmed"
        assert steps[-1].link
        verdict = next(step for step in steps if any("Settled by" in d for d in step.details))
        is_named = row.username == THERE  # then the platform is asked whose it is
        before = pills[: steps.index(verdict)]
        assert before[-2:] == ["Unresolved", "In doubt"] if is_named else before[-1] == "Unresolved"
        assert verdict.pill.text == ("Confirmed" if is_named else "Proven absent")


def is_ledger_of(runs: RunsPage, item_id: str) -> bool:
    ledger = runs.presenter.ledger
    return ledger is not None and ledger.item_id == item_id


async def the_account_has_it_too(handle: WindowHandle) -> None:
    page = handle.window.view.show_page("accounts")
    assert isinstance(page, AccountsPage)
    row = next(row for row in page.presenter.table.rows() if row.username == THERE)
    page.show_account(row.id)
    page.show_ledger()
    await until(page.ledger.stories, "the account's ledger")
    story = page.ledger.stories()[0].story
    assert story.state is ActionState.CONFIRMED
    assert any(step.is_point_of_no_return for step in story.steps)
