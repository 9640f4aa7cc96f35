"""The runs page: the list of runs at the left, the selected run at the right."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSplitter, QStackedWidget

from desktop_app.ui.commands.registry import Command
from desktop_app.ui.models.control import Verb
from desktop_app.ui.presenters.runs import RunsPresenter
from desktop_app.ui.views.context import ViewContext, waiting_state
from desktop_app.ui.views.delegates.run_row import RunRowDelegate
from desktop_app.ui.views.pages.run_detail import RunDetail
from desktop_app.ui.views.widgets.controls import button, separator
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.page import Page
from desktop_app.ui.views.widgets.row_list import RowList

_LIST_WIDTH = 256


class RunsPage(Page):
    """All runs."""

    compose_wanted = Signal()
    card_wanted = Signal(str)
    """An item whose doubt only the operator can settle."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context.theme, "Runs", "runs")
        self._context = context
        self.presenter = RunsPresenter(context.presenters)
        self.detail = RunDetail(context, self.presenter)
        self._build()
        self._connect()
        context.commands.add(*self._commands())
        self._refresh()

    def shown(self) -> None:
        """Go on showing the screen."""
        super().shown()
        self.detail.look(True)

    def hidden(self) -> None:
        """Stop asking for the screen."""
        self.detail.look(False)

    def show_run(self, run_id: str) -> None:
        """Show one run, also where its row is still on its way."""
        if self.search is not None and self.search.text():
            self.search.clear()
        self.presenter.select(run_id)
        self.list.select(run_id)

    def show_item(self, run_id: str, item_id: str) -> None:
        """Show the ledger of one item, as soon as the run's items are here."""
        self.show_run(run_id)
        self.detail.show_item(item_id)

    def _build(self) -> None:
        self.acts.addWidget(
            button(self.theme, "Compose", "primary", icon="pen-line", on_click=self._compose)
        )
        self.list = RowList(self.theme, self.presenter.runs, "Runs")
        self.list.draw_with(RunRowDelegate(self.theme, self.list))
        self.empty = EmptyState(self.theme)
        splitter = QSplitter()
        splitter.addWidget(self.list)
        splitter.addWidget(self.detail)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_LIST_WIDTH, 828])
        splitter.setChildrenCollapsible(False)
        self.main = self.list
        self.stack = QStackedWidget()
        self.stack.addWidget(splitter)
        self.stack.addWidget(self.empty)
        self.body.addWidget(separator())
        self.body.addWidget(self.stack, 1)

    def _compose(self) -> None:
        self.compose_wanted.emit()

    def _connect(self) -> None:
        runs = self.presenter.runs
        if self.search is not None:
            self.search.asked.connect(self._search)
        for signal in (runs.modelReset, runs.rowsInserted, runs.rowsRemoved):
            signal.connect(self._refresh)
        self._context.fleet.status_changed.connect(self._refresh)
        self.list.row_chosen.connect(self.presenter.select)
        self.detail.card_wanted.connect(self.card_wanted)

    def _commands(self) -> tuple[Command, ...]:
        verbs: tuple[tuple[Verb, str, str], ...] = (
            ("pause", "Pause the run", "pause"),
            ("resume", "Resume the run", "play"),
            ("retry", "Retry what failed in the run", "rotate-ccw"),
            ("cancel", "Cancel the run", "square"),
        )
        return tuple(
            Command(
                id=f"runs.{verb}",
                title=title,
                section="Runs",
                icon=icon,
                run=partial(self.detail.act, verb),
                is_enabled=partial(self._may, verb),
            )
            for verb, title, icon in verbs
        )

    def _may(self, verb: Verb) -> bool:
        return self.isVisible() and self.presenter.may(verb)

    def _search(self, text: str) -> None:
        self.presenter.runs.set_search(text)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        runs = self.presenter.runs
        self.count.setText(f"{runs.total:,}" if runs.total else "")
        empty = self._empty_state()
        if empty is not None:
            self.empty.show_empty(empty)
        self.stack.setCurrentIndex(0 if empty is None else 1)
        if self.presenter.run_id is None and runs.rowCount():
            self.presenter.select(runs.id_at(0))
        if self.presenter.run_id is not None:
            self.list.select(self.presenter.run_id)

    def _empty_state(self) -> Empty | None:
        runs = self.presenter.runs
        if runs.rowCount():
            return None
        if runs.total and self.search is not None:
            return Empty(
                "list-filter", "No run fits", "No run has this name.",
                "Clear the search", self.search.clear, "x",
            )  # fmt: skip
        waiting = waiting_state(self._context.fleet, self._context.fleet.runs.is_loaded)
        return waiting or Empty(
            "list-checks", "Nothing has run yet",
            "Compose a bulk login or a bulk upload. Each item, its log and its ledger are "
            "here while it runs, and afterwards.",
            "Compose", self._compose, "pen-line",
        )  # fmt: skip
