"""The agents page: the table of worker machines, the inspector, pairing and forgetting."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QSplitter, QStackedWidget

from common.domain.states import LinkState, look_of
from common.errors import WireError
from desktop_app.contract.agents import AgentRow
from desktop_app.ui.aio import ask
from desktop_app.ui.commands.registry import Command
from desktop_app.ui.models.agents import driver_names, skew_text
from desktop_app.ui.models.cells import pill_of
from desktop_app.ui.models.formats import bytes_text, milliseconds, moment
from desktop_app.ui.presenters.agents import AgentsPresenter
from desktop_app.ui.views.context import ViewContext, waiting_state
from desktop_app.ui.views.dialogs.base import ConfirmDialog
from desktop_app.ui.views.dialogs.pair_agent import PairDialog
from desktop_app.ui.views.widgets.controls import button, icon_button, separator
from desktop_app.ui.views.widgets.data_table import DataTable, show_in
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.inspector import Act, Inspector
from desktop_app.ui.views.widgets.page import Page

_PAIR_AGAIN = frozenset({"certificate_mismatch", "token_refused", "not_an_agent"})


class AgentsPage(Page):
    """All agents."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context.theme, "Agents", "agents")
        self._context = context
        self.presenter = AgentsPresenter(context.presenters)
        self._build()
        self._connect()
        context.commands.add(
            Command(
                id="agents.pair", title="Pair an agent", section="Agents", icon="link",
                shortcut="Ctrl+Shift+P", run=self.pair, words="add worker machine",
            )
        )  # fmt: skip
        self._refresh()

    def pair(self) -> None:
        """Open the pairing dialog."""
        self._context.tasks.spawn(self, self._pair(), "pairing dialog")

    def forget(self, agent: AgentRow) -> None:
        """Ask, then forget."""
        self._context.tasks.spawn(self, self._forget(agent), "forget dialog")

    async def _pair(self) -> None:
        await ask(PairDialog(self.theme, self.window(), self._context.tasks, self.presenter.pair))

    async def _forget(self, agent: AgentRow) -> None:
        dialog = ConfirmDialog(
            self.theme,
            self.window(),
            f"Forget {agent.name}?",
            "This desktop drops its token and certificate. The agent keeps running; to use it "
            "again, pair it again.",
            f"Forget {agent.name}",
        )
        if await ask(dialog):
            self.presenter.forget(agent)

    def _build(self) -> None:
        self.table = DataTable(self.theme, self.presenter.table, "Agents")
        columns = icon_button(self.theme, "columns-3", "Choose columns")
        columns.clicked.connect(lambda: show_in(self, self.table.column_menu(), columns))
        self.acts.addWidget(columns)
        self.acts.addWidget(
            button(self.theme, "Pair an agent…", "primary", icon="link", on_click=self.pair)
        )
        self.empty = EmptyState(self.theme)
        self.main = self.table
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.empty)
        self.inspector = Inspector(self.theme, "agents")
        self.inspector.hide()
        splitter = QSplitter()
        splitter.addWidget(self.stack)
        splitter.addWidget(self.inspector)
        splitter.setStretchFactor(0, 1)
        splitter.setChildrenCollapsible(False)
        line: QFrame = separator()
        self.body.addWidget(line)
        self.body.addWidget(splitter, 1)

    def _connect(self) -> None:
        table = self.presenter.table
        if self.search is not None:
            self.search.asked.connect(self._search)
        for signal in (table.modelReset, table.rowsInserted, table.rowsRemoved):
            signal.connect(self._refresh)
        table.dataChanged.connect(lambda *_: self._refresh_inspector())
        self._context.fleet.status_changed.connect(self._refresh)
        self.table.chosen.connect(self._selection_changed)
        self.table.inspected.connect(self._toggle_inspector)
        self.table.opened.connect(lambda _: self.inspector.show())
        self.inspector.closed.connect(self.inspector.hide)

    def _search(self, text: str) -> None:
        self.presenter.table.set_search(text)
        self._refresh()

    def _selection_changed(self, ids: list[str]) -> None:
        if len(ids) == 1 and self.isVisible():
            self.inspector.show()
        self._refresh_inspector()

    def _toggle_inspector(self) -> None:
        self.inspector.setVisible(self.inspector.isHidden())
        self._refresh_inspector()

    def _refresh(self, *_: object) -> None:
        table = self.presenter.table
        self.count.setText(f"{table.total:,}" if table.total else "")
        empty = self._empty_state()
        if empty is not None:
            self.empty.show_empty(empty)
        self.stack.setCurrentWidget(self.table if empty is None else self.empty)

    def _empty_state(self) -> Empty | None:
        table = self.presenter.table
        if table.rowCount():
            return None
        if table.total and self.search is not None:
            return Empty(
                "list-filter", "No agent fits", "No agent has this name or address.",
                "Clear the search", self.search.clear, "x",
            )  # fmt: skip
        waiting = waiting_state(self._context.fleet, self._context.fleet.agents.is_loaded)
        return waiting or Empty(
            "server", "Pair your first agent",
            "An agent is the program on a worker machine that does the work. Run "
            "“flotilla-agent pair” there, and paste the line it prints.",
            "Pair an agent…", self.pair, "link",
        )  # fmt: skip

    def _refresh_inspector(self) -> None:
        if self.inspector.isHidden():
            return
        ids = self.table.selected_ids()
        agent = self.presenter.table.row(ids[0]) if ids else None
        if agent is None:
            self.inspector.hide()
            return
        self._inspect(agent)

    def _inspect(self, agent: AgentRow) -> None:
        inspector = self.inspector
        inspector.show_head(agent.name, f"{agent.host}:{agent.port}", pill_of(look_of(agent.link)))
        online = agent.link is LinkState.ONLINE
        error = None if online else agent.link_error
        inspector.show_error(error, self._act_for(error))
        inspector.facts.show_facts(
            [
                ("Release", agent.app),
                ("Drivers", ", ".join(driver_names(agent))),
                ("Tasks", ", ".join(agent.tasks)),
                ("Running", f"{agent.running:,}"),
                ("Queued", f"{agent.queued:,}"),
                ("Accounts", f"{agent.accounts:,}"),
                ("Browsers", f"{agent.browser_slots:,} at once"),
                ("Capacity", f"{agent.capacity:g}"),
                ("Disk free", bytes_text(agent.disk_free)),
                ("Round trip", milliseconds(agent.round_trip)),
                ("Clock", f"{skew_text(agent.clock_skew)} against this machine"),
                ("Last seen", moment(agent.last_seen)),
                ("Paired", moment(agent.paired_at)),
                ("Agent id", agent.id),
            ]
        )
        forget = Act(f"Forget {agent.name}…", lambda: self.forget(agent), "danger", "unplug")
        inspector.show_acts([forget])

    def _act_for(self, error: WireError | None) -> Act | None:
        if error is not None and error.code in _PAIR_AGAIN:
            return Act("Pair again…", self.pair, icon="link")
        return None
