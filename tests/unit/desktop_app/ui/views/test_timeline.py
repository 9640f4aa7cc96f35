"""The timeline of a ledger, and the ids in it."""

from __future__ import annotations

import time

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton

from common.domain.accounts import DriverName
from common.domain.states import ActionState
from desktop_app.contract.runs import LedgerEntry
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.gallery_data import SampleCore
from desktop_app.ui.models.ledger import story_of
from desktop_app.ui.views.pages.accounts import AccountsPage
from desktop_app.ui.views.pages.needs_you import NeedsYouPage
from desktop_app.ui.views.widgets.copy_chip import CopyChip
from desktop_app.ui.views.widgets.timeline import StepView, Timeline
from tests.support.window import until, with_window


def entry(number: int, state: ActionState, action: str = "a1") -> LedgerEntry:
    return LedgerEntry(
        at=1_763_900_000.0 + number, action_id=action, attempt=1, operation="publish",
        state=state, driver=DriverName.PRIVATE_API, seq=number, resume={"upload_id": "77"},
    )  # fmt: skip


def test_a_new_step_joins_those_that_are_shown_and_another_ledger_replaces_them(
    qapp: object,
) -> None:
    async def story(handle: WindowHandle) -> None:
        timeline = Timeline(handle.context.theme, "Ledger")
        entries = [entry(0, ActionState.PLANNED), entry(1, ActionState.SENDING)]
        timeline.show_steps(story_of(entries))
        first = timeline.findChildren(StepView)[0]
        timeline.show_steps(story_of([*entries, entry(2, ActionState.CONFIRMED)]))
        views = timeline.findChildren(StepView)
        assert views[0] is first
        assert [view.is_last for view in views] == [False, False, True]
        timeline.show_steps(story_of([entry(0, ActionState.PLANNED, "another")]))
        assert len(timeline.steps) == 1
        assert timeline.steps[0].key.startswith("another")
        timeline.deleteLater()

    assert with_window(SampleCore(0, time.time()), story) == 0


def test_an_id_is_copied_whole_however_short_it_is_shown(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        chip = CopyChip(handle.context.theme, "post", "3419992871004_58000000001_extra")
        assert "…" in chip.text()
        chip.click()
        assert QGuiApplication.clipboard().text() == "3419992871004_58000000001_extra"
        chip.deleteLater()

    assert with_window(SampleCore(0, time.time()), story) == 0


def test_an_account_with_an_open_card_leads_to_it(qapp: object) -> None:
    core = SampleCore(12, time.time())

    async def story(handle: WindowHandle) -> None:
        page = handle.window.view.show_page("accounts")
        assert isinstance(page, AccountsPage)
        card = core.fleet.open_cards()[0]
        await until(lambda: handle.context.fleet.cards.is_loaded, "the cards")
        page.show_account(card.account_id)
        buttons = page.inspector.findChildren(QPushButton)
        next(b for b in buttons if b.accessibleName() == "Answer its card").click()
        needs = handle.window.view.page("needs")
        assert isinstance(needs, NeedsYouPage)
        assert handle.window.view.current == "needs"
        assert needs.presenter.card_id == card.id

    assert with_window(core, story) == 0
