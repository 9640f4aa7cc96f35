"""Pausing, resuming and cancelling what accounts or agents have to do, and moving accounts."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from desktop_app.contract.accounts import MoveAccounts, MoveResult
from desktop_app.contract.agents import AgentRow, DrainAgent
from desktop_app.contract.runs import ControlWork
from desktop_app.ui.models.control import ControlReport, Verb, gather_refusals
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.presenters.context import PresenterContext
from desktop_app.ui.presenters.notices import Notice


class WorkPresenter(QObject):
    """Commands over whole accounts and agents, with the report of the last one."""

    report_changed = Signal()

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self._fleet = context.fleet
        self.report: ControlReport | None = None

    def control(
        self, verb: Verb, *, account_ids: Sequence[str] = (), agent_ids: Sequence[str] = ()
    ) -> None:
        """Pause, resume or cancel every unfinished item of these accounts or agents."""
        command = ControlWork.model_validate(
            {"verb": verb, "account_ids": list(account_ids), "agent_ids": list(agent_ids)}
        )
        what = self._what(account_ids, agent_ids)
        self._say(ControlReport(verb, what))
        self._context.tasks.spawn(self, self._control(verb, what, command), f"{verb} work")

    def dismiss(self) -> None:
        """Hide the report."""
        self._say(None)

    def drain(self, agents: Sequence[AgentRow], drain: bool) -> None:
        """Give agents nothing new, or let them have work again."""
        self._context.tasks.spawn(self, self._drain(list(agents), drain), "drain agents")

    async def move(self, ids: Sequence[str], agent_id: str, *, accept_risk: bool) -> MoveResult:
        """Give accounts to another agent. Raises FlotillaError."""
        command = MoveAccounts(ids=list(ids), agent_id=agent_id, accept_risk=accept_risk)
        return await self._context.core.move_accounts(command)

    def agents(self) -> list[AgentRow]:
        """Return all agents by name."""
        return sorted(self._fleet.agents.table.rows(), key=lambda agent: agent.name.lower())

    def name_of(self, key: str) -> str:
        """Return the name of an account or an agent; empty for anything else."""
        account = self._fleet.accounts.table.row(key)
        if account is not None:
            return account.username
        agent = self._fleet.agents.table.row(key)
        return agent.name if agent else ""

    async def _control(self, verb: Verb, what: str, command: ControlWork) -> None:
        try:
            changed = await self._context.core.control_work(command)
        except BaseException:
            self._say(None)
            raise
        refused = gather_refusals(changed.refused, self.name_of)
        self._say(ControlReport(verb, what, len(changed.ids), refused=refused))

    async def _drain(self, agents: list[AgentRow], drain: bool) -> None:
        for agent in agents:
            await self._context.core.drain_agent(DrainAgent(id=agent.id, drain=drain))
        what = agents[0].name if len(agents) == 1 else count_of(len(agents), "agent")
        gets = "gets" if len(agents) == 1 else "get"
        text = f"{what} {gets} nothing new." if drain else f"{what} {gets} work again."
        undo = f"Undo drain of {what}" if drain else f"Drain {what} again"
        self._context.notices.say(
            Notice("success", text, act=undo, run=lambda: self.drain(agents, not drain))
        )

    def _what(self, account_ids: Sequence[str], agent_ids: Sequence[str]) -> str:
        noun = "account" if account_ids else "agent"
        ids = account_ids or agent_ids
        return self.name_of(ids[0]) if len(ids) == 1 else count_of(len(ids), noun)

    def _say(self, report: ControlReport | None) -> None:
        self.report = report
        self.report_changed.emit()
