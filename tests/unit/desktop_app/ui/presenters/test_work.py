"""Control in place: of items, accounts and agents; drains; and moves with their risk."""

from __future__ import annotations

from common.domain.states import ActionState, ItemState
from common.errors import ConflictError
from desktop_app.contract.accounts import MoveAccounts, MoveResult
from desktop_app.contract.agents import DrainAgent
from desktop_app.contract.base import Changed
from desktop_app.contract.changes import Delta
from desktop_app.contract.runs import ControlRun, ControlWork
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.presenters.work import WorkPresenter
from desktop_app.ui.views.dialogs.move_accounts import MoveAccountsDialog
from desktop_app.ui.views.pages.agents import AgentsPage
from desktop_app.ui.views.pages.runs import RunsPage
from tests.support.window import ScriptedCore, until, with_window

RISK = ConflictError("pier-9 holds 6 items of it, 1 of them in doubt.").to_wire()


class ControlledCore(ScriptedCore):
    """A core that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(12)
        self.told: list[object] = []

    async def control_run(self, run_id: str, command: ControlRun) -> Changed:
        self.told.append(command)
        late = ConflictError("It is past the point of no return.").to_wire()
        ids = command.item_ids or []
        return Changed(revision=1, ids=ids[1:], refused={ids[0]: late})

    async def control_work(self, command: ControlWork) -> Changed:
        self.told.append(command)
        return Changed(revision=1, ids=["i1", "i2"], refused={command.agent_ids[0]: RISK})

    async def drain_agent(self, command: DrainAgent) -> Changed:
        self.told.append(command)
        return Changed(revision=1, ids=[command.id])

    async def move_accounts(self, command: MoveAccounts) -> MoveResult:
        self.told.append(command)
        if command.accept_risk:
            return MoveResult(moved=command.ids, revision=2)
        return MoveResult(
            moved=command.ids[:1], draining=command.ids[1:2],
            refused=dict.fromkeys(command.ids[2:], RISK), revision=1,
        )  # fmt: skip


def test_a_cancel_that_was_asked_for_is_not_yet_a_cancelled_item(qapp: object) -> None:
    core = ControlledCore()

    async def story(handle: WindowHandle) -> None:
        page = handle.window.view.show_page("runs")
        assert isinstance(page, RunsPage)
        presenter, detail = page.presenter, page.detail
        await until(lambda: presenter.items.is_loaded, "the items")
        live = [i for i in core.fleet.items if i.state in (ItemState.QUEUED, ItemState.ASSIGNED)]
        detail.table.select_ids([item.id for item in live])
        assert detail.bulk.isVisible()
        detail._bulk["cancel"].click()
        await until(lambda: presenter.report and presenter.report.accepted, "the answer")
        assert presenter.report is not None
        assert presenter.report.waiting == len(live) - 1
        assert detail.report.isVisible()
        assert "point of no return" in presenter.report.refused[0].message
        assert not presenter.may_item("cancel", live[1])
        gone = [item.model_copy(update={"state": ItemState.CANCELLED}) for item in live[1:]]
        core.feed.queue.put_nowait(Delta(revision=5, items=gone))
        await until(lambda: presenter.report and presenter.report.is_over, "it happened")
        assert not presenter.asked
        detail.report.dismissed.emit()
        assert detail.report.isHidden()

    assert with_window(core, story) == 0


def test_an_item_past_the_point_of_no_return_says_why_it_cannot_be_cancelled(
    qapp: object,
) -> None:
    core = ControlledCore()

    async def story(handle: WindowHandle) -> None:
        page = handle.window.view.show_page("runs")
        assert isinstance(page, RunsPage)
        item = next(i for i in core.fleet.items if i.action is ActionState.SENDING)
        page.show_item(item.run_id, item.id)
        ledger = page.detail.ledger
        await until(lambda: ledger.timeline.steps, "the ledger")
        assert ledger.timeline.steps[-1].is_point_of_no_return
        assert not ledger.cancel.isEnabled()
        assert "point of no return" in ledger.cancel.toolTip()
        page.detail.act_on_items("cancel", [item.id])
        assert not core.told
        doubt = item.model_copy(update={"action": ActionState.IN_DOUBT})
        core.feed.queue.put_nowait(Delta(revision=5, items=[doubt]))
        await until(ledger.cancel.isEnabled, "a cancel that waits for the verdict")

    assert with_window(core, story) == 0


def test_agents_are_drained_and_their_work_is_controlled_in_place(qapp: object) -> None:
    core = ControlledCore()

    async def story(handle: WindowHandle) -> None:
        page = handle.window.view.show_page("agents")
        assert isinstance(page, AgentsPage)
        first, second = core.fleet.agents[:2]
        assert second.is_draining
        page.table.select_ids([first.id, second.id])
        handle.context.commands.get("agents.drain").run()
        await until(lambda: core.told, "the drain")
        assert core.told == [DrainAgent(id=first.id, drain=True)], "the other drains already"
        handle.context.commands.get("agents.work.pause").run()
        await until(lambda: page.work.report and page.work.report.accepted == 2, "the pause")
        assert page.report.isVisible()
        assert page.report.words.text() == "Paused 2 items of 2 agents."
        assert page.work.report is not None
        assert page.work.report.refused[0].names == (first.name,)

    assert with_window(core, story) == 0


def test_a_move_names_the_risk_and_repeats_only_on_the_operators_word(qapp: object) -> None:
    core = ControlledCore()

    async def story(handle: WindowHandle) -> None:
        context = handle.context
        work = WorkPresenter(context.presenters)
        rows = core.fleet.accounts[:4]
        ready = core.fleet.agents[1].model_copy(update={"is_draining": False})
        dialog = MoveAccountsDialog(
            context.theme, handle.window, context.tasks, rows, [*work.agents(), ready],
            lambda ids, agent_id, accept: work.move(ids, agent_id, accept_risk=accept),
        )  # fmt: skip
        dialog.open()
        target = dialog.agent.currentData()
        assert target == ready.id, "the full, the draining and the lost one come last"
        dialog.main.click()
        await until(lambda: not dialog._risks.isHidden(), "the risk")
        assert not dialog.main.isEnabled()
        dialog.accept_risk.setChecked(True)
        assert dialog.main.text() == "Move 2 accounts all the same"
        dialog.main.click()
        await until(lambda: not dialog.isVisible(), "the dialog has closed")
        ids = [row.id for row in rows]
        assert core.told == [
            MoveAccounts(ids=ids, agent_id=target),
            MoveAccounts(ids=ids[2:], agent_id=target, accept_risk=True),
        ]

    assert with_window(core, story) == 0
