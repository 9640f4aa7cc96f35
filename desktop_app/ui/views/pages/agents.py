"""The agents page: the table of worker machines, the inspector, pairing and forgetting."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QSplitter, QStackedWidget

from common.domain.states import LinkState, look_of
from common.errors import WireError
from desktop_app.contract.agents import AgentRow
from desktop_app.ui.aio import ask
from desktop_app.ui.commands.registry import Command
from desktop_app.ui.models.agents import dead_man_words, driver_names, skew_text
from desktop_app.ui.models.cells import pill_of
from desktop_app.ui.models.control import Verb
from desktop_app.ui.models.formats import bytes_text, count_of, milliseconds, moment
from desktop_app.ui.presenters.agents import AgentsPresenter
from desktop_app.ui.presenters.work import WorkPresenter
from desktop_app.ui.views.context import ViewContext, waiting_state
from desktop_app.ui.views.dialogs.base import ConfirmDialog
from desktop_app.ui.views.dialogs.pair_agent import PairDialog
from desktop_app.ui.views.dialogs.work import WORK_VERBS, confirm_cancel
from desktop_app.ui.views.widgets.bulk_bar import BulkBar
from desktop_app.ui.views.widgets.control_strip import ControlStrip
from desktop_app.ui.views.widgets.controls import button, icon_button, separator
from desktop_app.ui.views.widgets.data_table import DataTable, show_in
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.inspector import Act, Inspector
from desktop_app.ui.views.widgets.page import Page

_PAIR_AGAIN = frozenset({"certificate_mismatch", "token_refused", "not_an_agent"})


class AgentsPage(Page):
    """All agents."""

    move_wanted = Signal(str)
    """An agent whose accounts are to be moved."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context.theme, "Agents", "agents")
        self._context = context
        self.presenter = AgentsPresenter(context.presenters)
        self.work = WorkPresenter(context.presenters)
        self._build()
        self._connect()
        context.commands.add(*self._commands())
        self._refresh()

    def pair(self) -> None:
        """Open the pairing dialog."""
        self._context.tasks.spawn(self, self._pair(), "pairing dialog")

    def forget(self, agent: AgentRow) -> None:
        """Ask, then forget."""
        self._context.tasks.spawn(self, self._forget(agent), "forget dialog")

    def drain(self, ids: Sequence[str], drain: bool) -> None:
        """Give agents nothing new, or let them have work again."""
        rows = [row for row in self.presenter.rows_of(ids) if row.is_draining is not drain]
        if rows:
            self.work.drain(rows, drain)

    def control_work(self, verb: Verb, ids: Sequence[str]) -> None:
        """Pause, resume or cancel everything that these agents have to do; cancel asks first."""
        if verb == "cancel":
            self._context.tasks.spawn(self, self._cancel_work(list(ids)), "cancel dialog")
        else:
            self.work.control(verb, agent_ids=ids)

    async def _cancel_work(self, ids: list[str]) -> None:
        rows = self.presenter.rows_of(ids)
        what = rows[0].name if len(rows) == 1 else count_of(len(ids), "agent")
        if await ask(confirm_cancel(self.theme, self.window(), what)):
            self.work.control("cancel", agent_ids=ids)

    def _commands(self) -> tuple[Command, ...]:
        def any_chosen() -> bool:
            return self.isVisible() and self.table.selectionModel().hasSelection()

        section = "Agents"
        return (
            Command(
                id="agents.pair", title="Pair an agent", section=section, icon="link",
                shortcut="Ctrl+Shift+P", run=self.pair, words="add worker machine",
            ),
            Command(
                id="agents.drain", title="Drain the selected agents", section=section,
                icon="log-out", run=lambda: self.drain(self.table.selected_ids(), True),
                is_enabled=any_chosen, words="nothing new maintenance",
            ),
            Command(
                id="agents.undrain", title="Give the selected agents work again", section=section,
                icon="play", run=lambda: self.drain(self.table.selected_ids(), False),
                is_enabled=any_chosen,
            ),
            *(
                Command(
                    id=f"agents.work.{verb}", title=f"{text} of the selected agents",
                    section=section, icon=icon, run=partial(self._control_chosen, verb),
                    is_enabled=any_chosen, words="items jobs stop",
                )
                for verb, text, icon in WORK_VERBS
            ),
        )  # fmt: skip

    def _control_chosen(self, verb: Verb) -> None:
        self.control_work(verb, self.table.selected_ids())

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
        self.bulk = BulkBar(self.theme, self.stack, "agent")
        self.bulk.add("Drain", "log-out", lambda: self.drain(self.table.selected_ids(), True))
        self.bulk.add("Undo drain", "play", lambda: self.drain(self.table.selected_ids(), False))
        self.bulk.add_menu(
            "Work",
            "list-checks",
            [(text, icon, partial(self._control_chosen, verb)) for verb, text, icon in WORK_VERBS],
        )
        self.inspector = Inspector(self.theme, "agents")
        self.inspector.hide()
        splitter = QSplitter()
        splitter.addWidget(self.stack)
        splitter.addWidget(self.inspector)
        splitter.setStretchFactor(0, 1)
        splitter.setChildrenCollapsible(False)
        self.report = ControlStrip(self.theme)
        self.body.addWidget(self.report)
        line: QFrame = separator()
        self.body.addWidget(line)
        self.body.addWidget(splitter, 1)

    def _connect(self) -> None:
        table = self.presenter.table
        if self.search is not None:
            self.search.asked.connect(self._search)
        for signal in (table.modelReset, table.rowsInserted, table.rowsRemoved):
            signal.connect(self._refresh)
        table.dataChanged.connect(self._refresh_inspector)
        self._context.fleet.status_changed.connect(self._refresh)
        self.table.chosen.connect(self._selection_changed)
        self.table.inspected.connect(self._toggle_inspector)
        self.table.opened.connect(lambda _: self.inspect())
        self.inspector.closed.connect(self.inspector.hide)
        self.bulk.cleared.connect(self.table.clearSelection)
        self.work.report_changed.connect(self._show_report)
        self.report.dismissed.connect(self.work.dismiss)

    def _search(self, text: str) -> None:
        self.presenter.table.set_search(text)
        self._refresh()

    def _show_report(self) -> None:
        self.report.show_report(self.work.report)

    def _selection_changed(self, ids: list[str]) -> None:
        self.bulk.show_count(len(ids))
        if len(ids) == 1 and self.isVisible():
            self.inspector.show()
        self._refresh_inspector()

    def inspect(self) -> None:
        """Show everything of the selected agent."""
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

    def _refresh_inspector(self, *_: object) -> None:
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
        error = agent.notice if online else agent.link_error
        inspector.show_error(error, self._act_for(error))
        inspector.facts.show_facts(
            [
                ("Takes work", _takes_work(agent)),
                ("Release", agent.app),
                ("Drivers", ", ".join(driver_names(agent))),
                ("Tasks", ", ".join(agent.tasks)),
                ("Running", f"{agent.running:,}"),
                ("Queued", f"{agent.queued:,}"),
                ("Accounts", f"{agent.accounts:,}"),
                ("Browsers", f"{agent.browser_slots:,} at once"),
                ("Capacity", f"{agent.capacity:g}"),
                ("Disk free", _disk(agent)),
                ("Dead-man time", dead_man_words(agent)),
                ("Round trip", milliseconds(agent.round_trip)),
                ("Clock", f"{skew_text(agent.clock_skew)} against this machine"),
                ("Last seen", moment(agent.last_seen)),
                ("Paired", moment(agent.paired_at)),
            ],
            ids=[("Agent id", agent.id)],
        )
        inspector.show_acts(self._acts_of(agent))

    def _acts_of(self, agent: AgentRow) -> list[Act]:
        drain = not agent.is_draining
        ids = [agent.id]
        menu = tuple(
            (text, icon, partial(self.control_work, verb, ids)) for verb, text, icon in WORK_VERBS
        )
        return [
            Act(
                "Drain" if drain else "Give it work again",
                lambda: self.drain(ids, drain),
                icon="log-out" if drain else "play",
            ),
            Act("Its work", icon="list-checks", menu=menu),
            Act("Move its accounts…", lambda: self.move_wanted.emit(agent.id),
                icon="arrow-right-left"),
            Act("Forget it…", lambda: self.forget(agent), "danger", "unplug"),
        ]  # fmt: skip

    def _act_for(self, error: WireError | None) -> Act | None:
        if error is not None and error.code in _PAIR_AGAIN:
            return Act("Pair again…", self.pair, icon="link")
        return None


def _takes_work(agent: AgentRow) -> str:
    if agent.is_disk_full:
        return "No: its disk is full, and what cannot be journaled is not sent"
    if agent.notice is not None:
        return "Not yet: see above"
    if agent.is_draining:
        return "Nothing new: it is draining, and ends what it holds"
    return "Yes"


def _disk(agent: AgentRow) -> str:
    free = bytes_text(agent.disk_free)
    return f"{free}: full, free some space there" if agent.is_disk_full else free
