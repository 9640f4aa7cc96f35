"""Moving accounts to another agent: which one, what becomes of each, and the risk of hurrying."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLabel, QVBoxLayout, QWidget

from common.domain.states import LinkState, look_of
from common.errors import FlotillaError
from desktop_app.contract.accounts import AccountRow, MoveResult
from desktop_app.contract.agents import AgentRow
from desktop_app.ui.aio import Tasks
from desktop_app.ui.models.control import Refusal, gather_refusals
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.dialogs.base import Dialog
from desktop_app.ui.views.widgets.controls import clear_layout, column, label, row

_RULE = (
    "An account moves at once where its agent holds nothing of it. Otherwise it moves by itself "
    "when the agent has ended what it holds, so that nothing is ever done by two agents."
)
_ACCEPT = "I accept the risk, and move what was refused all the same"

Move = Callable[[Sequence[str], str, bool], Awaitable[MoveResult]]
"""Moves accounts to an agent, on the operator's word where that is True."""


class MoveAccountsDialog(Dialog):
    """Asks for the agent, moves, and shows what became of each account."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        tasks: Tasks,
        accounts: Sequence[AccountRow],
        agents: Sequence[AgentRow],
        move: Move,
    ) -> None:
        alone = accounts[0].username if len(accounts) == 1 else ""
        self._what = alone or count_of(len(accounts), "account")
        super().__init__(theme, parent, f"Move {self._what}", width=520)
        self._tasks = tasks
        self._names = {account.id: account.username for account in accounts}
        self._left = [account.id for account in accounts]
        self._move = move
        self._from = _counted(accounts)
        self.agent = QComboBox()
        self.agent.setAccessibleName("Agent to move to")
        for each in sorted(agents, key=_cannot_work_now):
            self.agent.addItem(_agent_words(each), each.id)
        self.accept_risk = QCheckBox(_ACCEPT)
        self.accept_risk.setAccessibleName(_ACCEPT)
        self.accept_risk.toggled.connect(self._refresh)
        self._result = QVBoxLayout()
        self._result.setSpacing(8)
        self._risks = QFrame()
        self._risks.setProperty("card", "attention")
        self._risk_lines = QVBoxLayout()
        risks = column(self._risk_lines, self.accept_risk, spacing=10)
        risks.setContentsMargins(12, 10, 12, 10)
        self._risks.setLayout(risks)
        self._risks.hide()
        self.body.addWidget(label(f"From {self._from}", "muted", wrap=True))
        self.body.addWidget(self.agent)
        self.body.addWidget(label(_RULE, "muted", wrap=True))
        self.body.addLayout(self._result)
        self.body.addWidget(self._risks)
        self.body.addStretch(1)
        self.main = self.add_foot(f"Move {self._what}", cancel="Close")
        self.main.clicked.connect(self._go)
        self.main.setEnabled(bool(agents))

    def _go(self) -> None:
        if not self._left:
            self.accept()
            return
        self.main.setEnabled(False)
        self._tasks.spawn(self, self._try(self.accept_risk.isChecked()), "move accounts")

    async def _try(self, accept_risk: bool) -> None:
        self.show_problem(None)
        try:
            result = await self._move(self._left, self.agent.currentData(), accept_risk)
        except FlotillaError as problem:
            self.show_problem(problem)
            self._refresh()
            return
        self._show(result)

    def _show(self, result: MoveResult) -> None:
        """Show what became of each account; where all of them move, the dialog is done."""
        self._left = list(result.refused)
        if result.moved:
            self._say("circle-check", "success", f"{self._named(result.moved)} moved.")
        if result.draining:
            one = len(result.draining) == 1
            free = "moves when its agent has" if one else "move when their agents have"
            self._say(
                "log-out", "info", f"{self._named(result.draining)} {free} ended what is there."
            )
        if not self._left and not result.draining:
            self.accept()
            return
        refused = gather_refusals(result.refused, lambda key: self._names.get(key, ""))
        self._show_risks(refused)
        self.agent.setEnabled(not self._left)
        self._refresh()

    def _show_risks(self, refused: Sequence[Refusal]) -> None:
        clear_layout(self._risk_lines)
        for refusal in refused:
            self._risk_lines.addWidget(label(refusal.text, wrap=True, select=True))
        self._risks.setVisible(bool(refused))
        self.accept_risk.setChecked(False)

    def _refresh(self) -> None:
        asked = not self._risks.isHidden()
        again = count_of(len(self._left), "account")
        if not self._left:
            self.main.setText("Done")
            self.main.setEnabled(True)
            return
        self.main.setText(f"Move {again} all the same" if asked else f"Move {self._what}")
        self.main.setEnabled(not asked or self.accept_risk.isChecked())

    def _named(self, ids: Sequence[str]) -> str:
        return self._names.get(ids[0], "") if len(ids) == 1 else count_of(len(ids), "account")

    def _say(self, icon: str, colour: str, words: str) -> None:
        shown = QLabel()
        shown.setPixmap(self.theme.pixmap(icon, colour, 16, self.devicePixelRatioF()))
        line = row(shown, label(words, wrap=True), spacing=8)
        line.setStretch(1, 1)
        self._result.addLayout(line)


def _cannot_work_now(agent: AgentRow) -> bool:
    """Put agents last that could do nothing with an account now."""
    return agent.link is not LinkState.ONLINE or agent.is_draining or agent.is_disk_full


def _agent_words(agent: AgentRow) -> str:
    said = [look_of(agent.link).label.lower(), count_of(agent.accounts, "account")]
    if agent.is_draining:
        said.append("draining")
    if agent.is_disk_full:
        said.append("disk full")
    return f"{agent.name}: {', '.join(said)}"


def _counted(accounts: Sequence[AccountRow]) -> str:
    """Say where accounts are now: `dock-1 (9), pier-9 (3)`."""
    counts: dict[str, int] = {}
    for account in accounts:
        name = account.agent or "no agent"
        counts[name] = counts.get(name, 0) + 1
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{name} ({count:,})" for name, count in counts.items())
