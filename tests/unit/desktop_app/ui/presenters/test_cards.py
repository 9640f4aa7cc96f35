"""The page of attention cards: what waits, both sides, answers, and what is looked at stays."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from common.errors import InputError
from desktop_app.contract.cards import ActOnCard, CardRow
from desktop_app.contract.changes import Delta, Overview
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.models.cards import CardFilter
from desktop_app.ui.views.pages.needs_you import NeedsYouPage
from desktop_app.ui.views.widgets.sighting import SightingTile
from tests.support.window import ScriptedCore, until, with_window


class AnsweringCore(ScriptedCore):
    """A core that keeps answers, and refuses links that are not."""

    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.answers: list[tuple[str, ActOnCard]] = []

    async def act_on_card(self, card_id: str, command: ActOnCard) -> CardRow:
        if command.link == "nonsense":
            raise InputError("“nonsense” is not the link of a post.")
        self.answers.append((card_id, command))
        card = next(card for card in self.fleet.cards if card.id == card_id)
        return card.model_copy(
            update={"answer": command.act, "answered_at": self.fleet.now, "acts": []}
        )


def page_of(handle: WindowHandle) -> NeedsYouPage:
    handle.show_page("needs")
    page = handle.window.view.page("needs")
    assert isinstance(page, NeedsYouPage)
    return page


def waiting(core: ScriptedCore) -> list[CardRow]:
    return [card for card in core.fleet.cards if card.answer is None]


def test_a_card_shows_both_sides_and_a_sighted_link_is_taken_by_one_click(qapp: object) -> None:
    core = AnsweringCore(12)

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        card = next(c for c in waiting(core) if c.theirs and len(c.theirs.posts) == 2)
        page.show_card(card.id)

        def tiles() -> list[SightingTile]:
            return [tile for tile in page.detail.findChildren(SightingTile) if tile.isVisible()]

        await until(lambda: len(tiles()) == 2, "both posts")
        tiles()[1].use.click()
        assert card.theirs is not None
        assert page.detail.acts.link.text() == card.theirs.posts[1].url
        QTest.keyClick(page.detail.acts.link, Qt.Key.Key_Return)
        await until(lambda: core.answers, "the answer")
        assert core.answers == [
            (card.id, ActOnCard(act="it_is_there", link=card.theirs.posts[1].url))
        ]
        await until(lambda: page.presenter.counts()[CardFilter.ANSWERED] == 2, "it is answered")
        assert page.presenter.card_id == card.id, "the card stays in sight"
        assert page.detail.acts.isHidden()
        assert "It is there" in page.detail._answer_text.text()

    assert with_window(core, story) == 0


def test_publishing_is_asked_for_once_more_in_place(qapp: object) -> None:
    core = AnsweringCore(12)

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        page.show_card(waiting(core)[0].id)
        acts = page.detail.acts
        handle.context.commands.get("cards.publish_it").run()
        assert acts.confirm.isVisible()
        assert "twice" in acts._risk.text()
        assert not core.answers
        acts.publish.click()
        await until(lambda: core.answers, "the answer")
        assert core.answers[0][1].act == "publish_it"
        assert acts.confirm.isHidden()

    assert with_window(core, story) == 0


def test_a_missing_or_refused_link_is_said_at_the_field(qapp: object) -> None:
    core = AnsweringCore(12)

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        page.show_card(waiting(core)[0].id)
        acts = page.detail.acts
        acts.answer("it_is_there")
        assert acts._refusal.isVisible()
        acts.link.setText("nonsense")
        assert acts._refusal.isHidden()
        acts.answer("it_is_there")
        await until(lambda: "nonsense" in acts._refusal.text(), "the refusal")
        assert not core.answers
        assert page.presenter.may("it_is_there")

    assert with_window(core, story) == 0


def test_what_is_looked_at_never_changes_by_itself(qapp: object) -> None:
    core = AnsweringCore(12)

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        first, second = waiting(core)[:2]
        page.show_card(first.id)
        await until(lambda: page.presenter.is_history_read, "the settled cards")
        settled = page.presenter.counts()[CardFilter.RESOLVED]
        done = first.model_copy(
            update={"resolved_at": 1.0, "resolution": "Found by caption and time.", "acts": []}
        )
        core.feed.queue.put_nowait(Delta(revision=5, cards=[done]))
        await until(lambda: page.presenter.open.row(first.id) is None, "it left the list")
        assert page.presenter.card_id == first.id
        assert "Found by caption" in page.detail._answer_text.text()
        assert page.presenter.counts()[CardFilter.RESOLVED] == settled + 1
        page.list.setFocus()
        QTest.keyClick(page.list, Qt.Key.Key_Down)
        assert page.presenter.card_id != first.id
        QTest.keyClick(page.list, Qt.Key.Key_Return)
        assert handle.window.focusWidget() is page.detail.acts.link
        assert page.presenter.open.row(second.id) is not None

    assert with_window(core, story) == 0


def test_a_new_card_is_counted_and_said_and_leads_to_itself(qapp: object) -> None:
    core = AnsweringCore(12)

    async def story(handle: WindowHandle) -> None:
        view = handle.window.view
        fresh = waiting(core)[0].model_copy(update={"id": "N" * 26, "title": "Is it there?"})
        core.feed.queue.put_nowait(
            Delta(
                revision=5, cards=[fresh], overview=Overview(store_name="s", practice=True, cards=7)
            )
        )
        await until(lambda: view.toasts.toasts(), "the notice")
        toast = view.toasts.toasts()[-1]
        assert toast.notice.text == "Is it there?"
        assert view.rail._entries["needs"].accessibleName() == "Needs you, 7"
        next(b for b in toast.findChildren(QPushButton) if b.text() == "Show both sides").click()
        page = page_of(handle)
        assert page.presenter.card_id == fresh.id

    assert with_window(core, story) == 0


def test_a_card_leads_to_its_account_and_to_the_ledger_of_its_item(qapp: object) -> None:
    core = AnsweringCore(12)

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        card = waiting(core)[0]
        page.show_card(card.id)
        page.detail.item.click()
        assert handle.window.view.current == "runs"
        runs = handle.window.view.page("runs")
        await until(lambda: runs.presenter.item_id == card.item_id, "its item")
        page_of(handle)
        page.detail.account.click()
        assert handle.window.view.current == "accounts"
        assert handle.window.view.page("accounts").table.selected_ids() == [card.account_id]

    assert with_window(core, story) == 0


def test_the_list_says_why_it_is_empty_and_history_is_read_when_asked_for(qapp: object) -> None:
    core = AnsweringCore(12)
    for card in core.fleet.cards[:]:
        core.fleet.cards.remove(card)
        core.fleet.cards.append(card.model_copy(update={"resolved_at": 9.0, "acts": []}))

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        assert page.empty.accessibleName().startswith("Nothing needs you")
        page.lists.chosen.emit(frozenset({"waiting", "resolved"}))
        await until(lambda: page.presenter.history.rowCount() == len(core.fleet.cards), "history")
        assert page.presenter.card is not None
        assert page.detail.acts.isHidden()
        assert page.search is not None
        page.search.setText("no card is about this")
        await until(lambda: not page.presenter.history.rowCount(), "the search")
        page.presenter.select(None)
        assert page.empty.accessibleName().startswith("No card fits")

    assert with_window(core, story) == 0
