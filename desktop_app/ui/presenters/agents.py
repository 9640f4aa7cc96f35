"""The agents page: pairing and forgetting."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject

from common.errors import ConflictError
from desktop_app.contract.agents import AgentRow, ForgetAgent, PairAgent
from desktop_app.ui.presenters.context import PresenterContext
from desktop_app.ui.presenters.notices import Notice


class AgentsPresenter(QObject):
    """What the agents page shows and does."""

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self.table = context.fleet.agents.table

    def rows_of(self, ids: Sequence[str]) -> list[AgentRow]:
        """Return the agents with these ids that still exist."""
        return [row for key in ids if (row := self.table.row(key)) is not None]

    async def pair(self, line: str) -> AgentRow:
        """Pair by the line that the agent printed. Raises a LinkError that says what is wrong."""
        agent = await self._context.core.pair_agent(
            PairAgent.model_validate({"line": line.strip()})
        )
        self._context.notices.say(Notice("success", f"Paired with {agent.name}."))
        return agent

    def forget(self, agent: AgentRow, *, force: bool = False) -> None:
        """Forget an agent; where it holds unfinished items, offers to do so all the same."""
        self._context.tasks.spawn(self, self._forget(agent, force), "forget agent")

    async def _forget(self, agent: AgentRow, force: bool) -> None:
        try:
            await self._context.core.forget_agent(ForgetAgent(id=agent.id, force=force))
        except ConflictError as problem:
            if force:
                raise
            self._context.notices.say(
                Notice(
                    "warning",
                    problem.message,
                    problem.advice,
                    act=f"Forget {agent.name} all the same",
                    run=lambda: self.forget(agent, force=True),
                )
            )
            return
        self._context.notices.say(Notice("success", f"Forgot {agent.name}."))
