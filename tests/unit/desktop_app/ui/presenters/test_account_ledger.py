"""The ledger of an account: pages, one state at a time, and reading again when it changed."""

from __future__ import annotations

from common.domain.states import ActionState
from desktop_app.contract.changes import Delta
from desktop_app.contract.runs import AccountLedger, LedgerEntry
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.views.pages.accounts import AccountsPage
from tests.support.window import ScriptedCore, until, with_window


class LongCore(ScriptedCore):
    """A core whose first account has a long history."""

    def __init__(self) -> None:
        super().__init__(12)
        first = next(item for item in self.fleet.items if item.link)
        steps = self.fleet.ledger(first.id)
        self.entries: list[LedgerEntry] = [
            step.model_copy(update={"action_id": f"a{number}", "at": 9000.0 - number})
            for number in range(60)
            for step in reversed(steps)
        ]
        self.asked: list[tuple[str, int, int]] = []

    async def account_ledger(
        self, account_id: str, state: ActionState | None = None, offset: int = 0, limit: int = 100
    ) -> AccountLedger:
        self.asked.append((account_id, offset, limit))
        rows = [entry for entry in self.entries if state in (None, entry.state)]
        return AccountLedger(
            account_id=account_id, entries=rows[offset : offset + limit], total=len(rows)
        )


def page_of(handle: WindowHandle) -> AccountsPage:
    page = handle.window.view.show_page("accounts")
    assert isinstance(page, AccountsPage)
    return page


def test_the_ledger_of_an_account_is_read_a_page_at_a_time(qapp: object) -> None:
    core = LongCore()

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        presenter = page.ledger.presenter
        account = core.fleet.accounts[0]
        page.show_account(account.id)
        assert not core.asked, "nobody looks at a ledger yet"
        handle.context.commands.get("accounts.ledger").run()
        await until(lambda: len(presenter.entries) == 100, "the first page")
        assert presenter.has_more
        page.ledger.older.click()
        await until(lambda: len(presenter.entries) == 200, "the second page")
        newest = page.ledger.stories()[0]
        newest.fold.click()
        assert newest.is_unfolded
        page.ledger.states.setCurrentIndex(page.ledger.states.findData(ActionState.CONFIRMED.value))
        await until(lambda: presenter.total == 60, "the filter")
        assert {entry.state for entry in presenter.entries} == {ActionState.CONFIRMED}

    assert with_window(core, story) == 0


def test_a_change_of_the_account_has_it_read_again_and_another_account_has_not(
    qapp: object,
) -> None:
    core = LongCore()

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        account, other = core.fleet.accounts[:2]
        page.show_account(account.id)
        page.show_ledger()
        await until(lambda: page.ledger.presenter.is_loaded, "the ledger")
        page.ledger.stories()[1].unfold(True)
        before = len(core.asked)
        assert page.ledger.presenter.total == len(core.entries)
        core.feed.queue.put_nowait(Delta(revision=4, accounts=[other]))
        core.entries.insert(0, core.entries[0].model_copy(update={"action_id": "new"}))
        core.feed.queue.put_nowait(Delta(revision=5, accounts=[account]))
        await until(lambda: page.ledger.presenter.total == len(core.entries), "the new step")
        assert len(core.asked) == before + 1
        assert page.ledger.stories()[0].story.action_id == "new"
        assert page.ledger.stories()[2].is_unfolded, "what was unfolded stays so"
        page.inspector.hide()
        page.table.select_ids([other.id])

    assert with_window(core, story) == 0
