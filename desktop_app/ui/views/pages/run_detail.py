"""One run: its bar and acts, its items, its log, the ledger of an item, and a live screen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from common.domain.states import ItemState, look_of
from desktop_app.contract.runs import ItemRow
from desktop_app.ui.aio import ask
from desktop_app.ui.models.cells import PROGRESS_ORDER, pill_of, progress_of
from desktop_app.ui.models.control import Verb
from desktop_app.ui.models.formats import count_of, exact_time
from desktop_app.ui.models.runs import RUN_FINAL, cannot_cancel
from desktop_app.ui.presenters.runs import RunsPresenter
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.dialogs.base import ConfirmDialog
from desktop_app.ui.views.pages.item_ledger import ItemLedgerView
from desktop_app.ui.views.widgets.bulk_bar import BulkBar
from desktop_app.ui.views.widgets.chip_bar import ChipBar
from desktop_app.ui.views.widgets.chips import Chip
from desktop_app.ui.views.widgets.control_strip import ControlStrip
from desktop_app.ui.views.widgets.controls import (
    ElidedLabel,
    button,
    icon_button,
    label,
    row,
    separator,
)
from desktop_app.ui.views.widgets.data_table import DataTable, show_in
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.log_view import LogView
from desktop_app.ui.views.widgets.progress_strip import ProgressStrip
from desktop_app.ui.views.widgets.screen_tile import ScreenTile
from desktop_app.ui.views.widgets.search_box import SearchBox
from desktop_app.ui.views.widgets.state_pill import StatePill

_WATCHER = "run detail"
_SCREEN_WIDTH = 272
_LINGER_MILLISECONDS = 2500
_ITEMS_MILLISECONDS = 100


_ITEM_VERBS: tuple[tuple[Verb, str, str], ...] = (
    ("pause", "Pause", "pause"),
    ("resume", "Resume", "play"),
    ("retry", "Retry failed", "rotate-ccw"),
    ("cancel", "Cancel", "square"),
)


class RunDetail(QWidget):
    """The selected run."""

    card_wanted = Signal(str)
    """An item whose doubt only the operator can settle."""

    def __init__(self, context: ViewContext, presenter: RunsPresenter) -> None:
        super().__init__()
        self._context = context
        self._theme = context.theme
        self.presenter = presenter
        self._is_looked_at = False
        self._wanted_item: str | None = None
        """An item to show when it comes."""
        self._buttons: dict[str, QPushButton] = {}
        self._build()
        self._dress()
        self._connect()
        self._refresh()

    def look(self, looking: bool) -> None:
        """Ask for the live screen while the page is looked at."""
        self._is_looked_at = looking
        self._refresh_screen()

    def act(self, verb: Verb) -> None:
        """Pause, resume, retry or cancel; cancelling asks first."""
        if verb == "cancel":
            self._context.tasks.spawn(self, self._cancel(), "cancel dialog")
        else:
            self.presenter.control(verb)

    def act_on_items(self, verb: Verb, item_ids: Sequence[str]) -> None:
        """Do something to those of these items to which it would do anything."""
        rows = self.presenter.item_rows(item_ids)
        fit = [item.id for item in rows if self.presenter.may_item(verb, item)]
        if fit:
            self.presenter.control(verb, fit)

    def _act_on_chosen(self, verb: Verb) -> None:
        self.act_on_items(verb, self.table.selected_ids())

    async def _cancel(self) -> None:
        counts = self.presenter.counts()
        left = sum(counts.values()) - sum(
            counts.get(state, 0)
            for state in (ItemState.DONE, ItemState.FAILED, ItemState.SKIPPED, ItemState.CANCELLED)
        )
        what = count_of(left, "item")
        dialog = ConfirmDialog(
            self._theme,
            self.window(),
            f"Cancel {what}?",
            "Items that have not begun are cancelled. An item whose deciding request is already "
            "on its way waits for the platform's answer first: if the post is there, it is done.",
            f"Cancel {what}",
        )
        if await ask(dialog):
            self.presenter.control("cancel")

    def show_item(self, item_id: str) -> None:
        """Select one item and show its ledger, as soon as it is here."""
        self._wanted_item = item_id
        self.tabs.setCurrentWidget(self.ledger)
        self._show_wanted()

    def _show_wanted(self, *_: object) -> None:
        wanted = self._wanted_item
        if wanted is None or self.presenter.items.table.line(wanted) is None:
            return
        self._wanted_item = None
        self.table.select_ids([wanted])

    # Building

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_head())
        self.report = ControlStrip(self._theme)
        layout.addWidget(self.report)
        layout.addWidget(separator())
        splitter = QSplitter()
        splitter.setOrientation(splitter.orientation().Vertical)
        splitter.addWidget(self._build_items())
        splitter.addWidget(self._build_lower())
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setSizes([310, 300])
        splitter.setChildrenCollapsible(False)
        layout.addWidget(splitter, 1)

    def _build_head(self) -> QWidget:
        self.heading = ElidedLabel("section")
        self.pill = StatePill(self._theme)
        self.times = label("", "faint")
        for verb, text, icon in _ITEM_VERBS:
            made = button(self._theme, f"{text}…" if verb == "cancel" else text, icon=icon)
            made.clicked.connect(lambda _=False, verb=verb: self.act(verb))
            self._buttons[verb] = made
        self.strip = ProgressStrip(self._theme)
        self.states = ChipBar(self._theme, "Items")
        self.safe = QFrame()
        self._safe_icon = QLabel()
        self.safe_words = label("", "caption")
        self.safe.setLayout(row(self._safe_icon, self.safe_words, spacing=6))
        head = QWidget()
        inner = QVBoxLayout(head)
        inner.setContentsMargins(20, 12, 16, 12)
        inner.setSpacing(10)
        self.item_search = SearchBox(self._theme, "items", width=160)
        columns = icon_button(self._theme, "columns-3", "Choose columns of the items")
        columns.clicked.connect(lambda: show_in(self, self.table.column_menu(), columns))
        inner.addLayout(row(self.heading, self.pill, 1, *self._buttons.values()))
        inner.addWidget(self.strip)
        inner.addLayout(_stretched(row(self.states, self.item_search, columns)))
        inner.addLayout(row(self.safe, 1, self.times))
        return head

    def _build_items(self) -> QWidget:
        self.table = DataTable(self._theme, self.presenter.items.table, "Items of the run")
        self.table.make_menu = self._menu
        self.items_empty = EmptyState(self._theme)
        self.items_stack = QStackedWidget()
        self.items_stack.addWidget(self.table)
        self.items_stack.addWidget(self.items_empty)
        self.bulk = BulkBar(self._theme, self.items_stack, "item")
        self._bulk: dict[Verb, QPushButton] = {}
        for verb, text, icon in _ITEM_VERBS:
            self._bulk[verb] = self.bulk.add(text, icon, partial(self._act_on_chosen, verb))
        return self.items_stack

    def _build_lower(self) -> QWidget:
        self.log = LogView(self._theme)
        self.ledger = ItemLedgerView(self._theme, self.presenter)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Log and ledger")
        self.tabs.tabBar().setAccessibleName("Log and ledger")
        self.tabs.addTab(self.log, "Log")
        self.log.counted.connect(
            lambda count: self.tabs.setTabText(0, f"Log  {count:,}" if count else "Log")
        )
        self.tabs.addTab(self.ledger, "Ledger")
        self.tile = ScreenTile(self._theme, self._context.decoder)
        self.tile.setFixedWidth(_SCREEN_WIDTH)
        self.screen_box = QWidget()
        box = QVBoxLayout(self.screen_box)
        box.setContentsMargins(0, 8, 12, 12)
        box.addWidget(self.tile)
        lower = QWidget()
        inner = row(self.tabs, self.screen_box, spacing=8)
        inner.setStretch(0, 1)
        lower.setLayout(inner)
        lower.setMinimumHeight(200)
        return lower

    def _connect(self) -> None:
        presenter, items = self.presenter, self.presenter.items.table
        presenter.run_changed.connect(self._refresh)
        presenter.counts_changed.connect(self._refresh)
        presenter.lines_arrived.connect(self.log.append)
        presenter.log_restarted.connect(self._restart)
        presenter.ledger_changed.connect(self._show_ledger)
        presenter.screens.framed.connect(self.tile.take_frame)
        self.states.chosen.connect(self._choose_states)
        self.item_search.asked.connect(items.set_search)
        presenter.report_changed.connect(self._show_report)
        self._items_soon = QTimer(self)
        self._items_soon.setSingleShot(True)
        self._items_soon.setInterval(_ITEMS_MILLISECONDS)
        self._items_soon.timeout.connect(self._show_changed_items)
        items.dataChanged.connect(self._items_changed)
        self.report.dismissed.connect(presenter.dismiss_report)
        self.report.undo_wanted.connect(presenter.undo)
        self.bulk.cleared.connect(self.table.clearSelection)
        self.ledger.cancel_wanted.connect(lambda ids: self.act_on_items("cancel", ids))
        self.ledger.card_wanted.connect(self.card_wanted)
        self.table.chosen.connect(self._select_item)
        self.table.inspected.connect(lambda: self.tabs.setCurrentIndex(1))
        self.table.opened.connect(lambda _: self.tabs.setCurrentIndex(1))
        self._theme.changed.connect(self._dress)
        for signal in (items.modelReset, items.rowsInserted, items.rowsRemoved):
            signal.connect(self._show_items)
            signal.connect(self._show_wanted)
        self._linger = QTimer(self)
        self._linger.setSingleShot(True)
        self._linger.setInterval(_LINGER_MILLISECONDS)
        self._linger.timeout.connect(lambda: self._refresh_screen(linger=False))

    # Showing

    def _dress(self) -> None:
        ratio = self.devicePixelRatioF()
        self._safe_icon.setPixmap(self._theme.pixmap("shield-check", "success", 14, ratio))

    def _restart(self) -> None:
        self.log.clear()
        self.item_search.clear()
        self._show_ledger()

    def _refresh(self) -> None:
        run = self.presenter.run
        self._show_items()
        if run is None:
            return
        self.heading.setText(run.name)
        self.pill.set_pill(pill_of(look_of(run.state)))
        progress = progress_of(run.counts, run.total)
        self.strip.show_progress(progress)
        ended = f" – {exact_time(run.ended_at)[11:19]}" if run.ended_at else ""
        self.times.setText(f"{exact_time(run.created_at)[:19]}{ended}")
        for verb, made in self._buttons.items():
            made.setVisible(self.presenter.may(verb))
        self._show_chips()
        over = run.state in RUN_FINAL
        self.safe.setVisible(run.handed_over and not over)
        self.safe_words.setText(
            "Handed over: the agents hold every item. Safe to close this window."
        )
        self._refresh_screen()

    def _show_chips(self) -> None:
        counts = self.presenter.counts()
        chips = []
        for state in reversed(PROGRESS_ORDER):
            if counts.get(state) or state in self.presenter.states:
                look = look_of(state)
                chips.append(
                    Chip(state.value, look.label, counts.get(state, 0), look.icon, look.colour)
                )
        on = frozenset(state.value for state in self.presenter.states)
        self.states.set_chips(chips, on)

    def _choose_states(self, on: frozenset[str]) -> None:
        self.presenter.show_states(frozenset(ItemState(key) for key in on))

    def _show_items(self, *_: object) -> None:
        table = self.presenter.items.table
        if table.rowCount():
            self.items_stack.setCurrentIndex(0)
            return
        if table.total:
            empty = Empty(
                "list-filter", "No item fits", "", "Clear the filter", self._clear_filter, "x"
            )
        elif self.presenter.items.is_loaded:
            empty = Empty("list-checks", "This run has no items")
        else:
            empty = Empty("loader", "Reading…")
        self.items_empty.show_empty(empty)
        self.items_stack.setCurrentIndex(1)

    def _clear_filter(self) -> None:
        self.item_search.clear()
        self.presenter.show_states(frozenset())

    def _items_changed(self, *_: object) -> None:
        """Take note: many rows change at once, and what follows looks at all that are selected."""
        if not self._items_soon.isActive():
            self._items_soon.start()

    def _show_changed_items(self) -> None:
        self.ledger.refresh()
        self._refresh_bulk()

    def _refresh_bulk(self) -> None:
        """Offer what would do something to any of the selected items, and say why not."""
        ids = self.table.selected_ids()
        self.bulk.show_count(len(ids))
        if self.bulk.isHidden():
            return
        rows = self.presenter.item_rows(ids)
        for verb, made in self._bulk.items():
            made.setEnabled(any(self.presenter.may_item(verb, item) for item in rows))
        reasons = {cannot_cancel(item) for item in rows}
        self._bulk["cancel"].setToolTip("" if "" in reasons else " ".join(sorted(reasons)))

    def _show_report(self) -> None:
        report = self.presenter.report
        self.report.show_report(report, may_undo=report is not None and report.verb == "pause")

    def _select_item(self, ids: list[str]) -> None:
        self._refresh_bulk()
        self.presenter.select_item(ids[0] if len(ids) == 1 else None)
        item = self.presenter.item
        self.log.show_account(item.username if item else "")
        self._refresh_screen(linger=False)

    def _show_ledger(self) -> None:
        ledger = self.presenter.ledger
        count = len(ledger.entries) if ledger else 0
        self.tabs.setTabText(1, f"Ledger  {count:,}" if count else "Ledger")
        self.ledger.refresh()

    def _refresh_screen(self, *, linger: bool = True) -> None:
        account_id = self.presenter.screen_account() if self._is_looked_at else None
        if account_id is None and linger and self.tile.has_frame() and self._is_looked_at:
            if not self._linger.isActive():
                self._linger.start()
            return
        self._linger.stop()
        self.screen_box.setVisible(account_id is not None)
        watched = frozenset({account_id}) if account_id else frozenset[str]()
        self.presenter.screens.watch(_WATCHER, watched)
        if account_id is not None:
            item = self._running_item(account_id)
            name = item.username if item else self.presenter.username_of(account_id)
            self.tile.show_account(account_id, name, item.step if item else "")

    def _running_item(self, account_id: str) -> ItemRow | None:
        for item in self.presenter.items.table.rows():
            if item.account_id == account_id and item.state is ItemState.RUNNING:
                return item
        return None

    def _menu(self, ids: list[str]) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        rows = self.presenter.item_rows(ids)
        for verb, text, icon in _ITEM_VERBS:
            fit = [item for item in rows if self.presenter.may_item(verb, item)]
            what = count_of(len(fit) or len(ids), "item")
            action = menu.addAction(self._theme.icon(icon), f"{text} ({what})")
            action.setEnabled(bool(fit))
            if verb == "cancel" and not fit and rows:
                action.setToolTip(cannot_cancel(rows[0]))
            action.triggered.connect(lambda _=False, verb=verb: self.act_on_items(verb, ids))
        return menu


def _stretched(line: QHBoxLayout) -> QHBoxLayout:
    """Give what is left of a line to its first part."""
    line.setStretch(0, 1)
    return line
