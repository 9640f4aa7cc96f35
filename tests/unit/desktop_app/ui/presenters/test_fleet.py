"""The window's copy of the fleet follows what the core pushes, in order."""

from __future__ import annotations

from common.domain.states import SignInState
from common.errors import CoreUnreachableError
from desktop_app.contract.accounts import AccountRow
from desktop_app.contract.base import Page
from desktop_app.contract.changes import Delta, Overview, Reset
from desktop_app.ui.app import WindowHandle
from tests.support.window import ScriptedCore, until, with_window


def test_changes_are_applied_in_order_and_stale_ones_dropped(qapp: object) -> None:
    core = ScriptedCore(12)

    async def story(handle: WindowHandle) -> None:
        fleet = handle.context.fleet
        table = fleet.accounts.table
        await until(lambda: fleet.accounts.is_loaded, "the accounts")
        first, second = core.fleet.accounts[:2]
        core.feed.queue.put_nowait(
            Delta(revision=7, accounts=[first.model_copy(update={"posts": 77})])
        )
        core.feed.queue.put_nowait(
            Delta(
                revision=8,
                accounts=[first.model_copy(update={"posts": 88})],
                removed={"accounts": [second.id]},
                overview=Overview(store_name="Demo store", practice=True, accounts=11, revision=8),
            )
        )
        core.feed.queue.put_nowait(
            Delta(revision=6, accounts=[first.model_copy(update={"posts": 66})])
        )
        core.feed.queue.put_nowait(Delta(revision=9))
        await until(lambda: fleet.accounts.revision == 9, "the last change")
        table.flush()
        seen = table.row(first.id)
        assert seen is not None
        assert seen.posts == 88
        assert table.row(second.id) is None
        assert table.rowCount() == 11
        assert fleet.overview.accounts == 11

    assert with_window(core, story) == 0


def test_a_reset_reads_everything_again(qapp: object) -> None:
    core = ScriptedCore(12)

    async def story(handle: WindowHandle) -> None:
        fleet = handle.context.fleet
        await until(lambda: fleet.media.is_loaded, "the first copy")
        core.fleet.accounts = core.fleet.accounts[:3]
        core.feed.queue.put_nowait(Reset(revision=40))
        await until(lambda: fleet.accounts.table.total == 3, "the second copy")

    assert with_window(core, story) == 0


class FailingCore(ScriptedCore):
    """A core that does not answer at first."""

    failures = 1

    async def accounts(
        self, search: str = "", tag: str = "", sort: str = "", offset: int = 0, limit: int = 5000
    ) -> Page[AccountRow]:
        if self.failures:
            self.failures -= 1
            raise CoreUnreachableError("The core does not answer.")
        return await super().accounts(search, tag, sort, offset, limit)


def test_a_core_that_does_not_answer_is_asked_again(qapp: object) -> None:
    core = FailingCore(12)

    async def story(handle: WindowHandle) -> None:
        await until(lambda: handle.context.fleet.accounts.is_loaded, "the accounts")

    assert with_window(core, story) == 0
    assert core.failures == 0


def test_the_first_rows_come_before_the_rest(qapp: object) -> None:
    core = ScriptedCore(5000)
    asked: list[tuple[int, int]] = []
    real = core.accounts

    async def accounts(
        search: str = "", tag: str = "", sort: str = "", offset: int = 0, limit: int = 5000
    ) -> Page[AccountRow]:
        asked.append((offset, limit))
        return await real(search, tag, sort, offset, limit)

    core.accounts = accounts  # type: ignore[method-assign]

    async def story(handle: WindowHandle) -> None:
        await until(lambda: handle.context.fleet.accounts.table.total == 5000, "all accounts")
        states = {row.sign_in for row in handle.context.fleet.accounts.table.rows()}
        assert SignInState.SIGNED_IN in states

    assert with_window(core, story) == 0
    assert asked[0] == (0, 200)
    assert asked[1][0] == 200


def test_open_cards_are_kept_equal_and_only_new_ones_are_announced(qapp: object) -> None:
    core = ScriptedCore(12)

    async def story(handle: WindowHandle) -> None:
        fleet = handle.context.fleet
        table, opened = fleet.cards.table, []
        fleet.cards_opened.connect(lambda cards: opened.extend(card.id for card in cards))
        known = core.fleet.open_cards()
        await until(lambda: table.total == len(known), "the open cards")
        changed = known[0].model_copy(update={"held": 41})
        settled = known[1].model_copy(update={"resolved_at": 9.0})
        fresh = known[0].model_copy(update={"id": "N" * 26})
        cards = [changed, settled, fresh]
        core.feed.queue.put_nowait(Delta(revision=7, cards=cards))
        await until(lambda: opened, "the new card")
        table.flush()
        assert opened == [fresh.id]
        assert table.row(settled.id) is None
        row = table.row(changed.id)
        assert row is not None
        assert row.held == 41

    assert with_window(core, story) == 0
