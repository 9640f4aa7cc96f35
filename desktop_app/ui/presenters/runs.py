"""The runs page: the selected run with its items, its log, the ledger of an item, and control.

What was asked of an item is part of the item: a cancel that was asked for is not yet a cancelled
item. What is kept here is only of which items the last report speaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from common.domain.accounts import Platform
from common.domain.states import ItemState
from common.limits.rules import visibility_of
from desktop_app.client.wishes import is_cancel_asked, waited_for
from desktop_app.contract.changes import Delta
from desktop_app.contract.runs import ControlRun, ItemLedger, ItemRow, RunRow
from desktop_app.ui.models.control import (
    ControlReport,
    Verb,
    gather_refusals,
    has_taken_effect,
)
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.models.ledger import next_look
from desktop_app.ui.models.mirror import Mirror
from desktop_app.ui.models.runs import RUN_FINAL, cannot_cancel, item_table
from desktop_app.ui.presenters.context import PresenterContext
from desktop_app.ui.presenters.log_tail import LogTail

_WATCHER = "runs page"

_MAY_PAUSE = frozenset({ItemState.QUEUED, ItemState.ASSIGNED, ItemState.RUNNING})
_MAY_RETRY = frozenset({ItemState.FAILED})
_MAY_RESUME = frozenset({ItemState.PAUSED})


class RunsPresenter(QObject):
    """What the runs page shows and does."""

    run_changed = Signal()
    """Another run is selected, or the selected one changed."""
    counts_changed = Signal()
    ledger_changed = Signal()
    lines_arrived = Signal(object)
    """A list of `LogLine`."""
    log_restarted = Signal()
    report_changed = Signal()

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self._fleet = context.fleet
        self.screens = context.screens
        self.runs = context.fleet.runs.table
        self.asked: dict[str, Verb] = {}
        """What was asked of items from here and has not shown yet, by item, for the report."""
        self._asked_attempts: dict[str, int] = {}
        self._reported: frozenset[str] = frozenset()
        """Items of which the report speaks."""
        self.report: ControlReport | None = None
        self.items = Mirror[ItemRow](item_table())
        self.run_id: str | None = None
        self.item_id: str | None = None
        self.ledger: ItemLedger | None = None
        self.states: frozenset[ItemState] = frozenset()
        self._log: LogTail | None = None
        self._fleet.delta_applied.connect(self._take)
        self._fleet.restarted.connect(self._read_again)
        for signal in (self.runs.dataChanged, self.runs.modelReset, self.runs.rowsInserted):
            signal.connect(lambda *_: self.run_changed.emit())

    @property
    def run(self) -> RunRow | None:
        """The selected run."""
        return self.runs.row(self.run_id) if self.run_id else None

    @property
    def item(self) -> ItemRow | None:
        """The selected item."""
        return self.items.table.row(self.item_id) if self.item_id else None

    def select(self, run_id: str | None) -> None:
        """Show a run; what is pushed follows the choice."""
        if run_id == self.run_id:
            return
        self.run_id = run_id
        self.states = frozenset()
        self.items.clear()
        self.items.table.set_filter(None)
        self.select_item(None)
        self.dismiss_report()
        self._log = None
        self.log_restarted.emit()
        self.run_changed.emit()
        self._read_again()

    def select_item(self, item_id: str | None) -> None:
        """Show the ledger of an item."""
        if item_id == self.item_id:
            return
        self.item_id = item_id
        self.ledger = None
        self.ledger_changed.emit()
        self._read_ledger()

    def show_states(self, states: frozenset[ItemState]) -> None:
        """Show items in any of these states; empty is all."""
        self.states = states
        self.items.table.set_filter((lambda item: item.state in states) if states else None)
        self.counts_changed.emit()

    def counts(self) -> dict[ItemState, int]:
        """Return the selected run's items by state."""
        return self.run.counts if self.run else {}

    def may(self, verb: str) -> bool:
        """Say whether a verb would do anything to the selected run."""
        counts = self.counts()
        if self.run is None:
            return False
        if verb == "pause":
            return any(counts.get(state) for state in _MAY_PAUSE)
        if verb == "resume":
            return bool(counts.get(ItemState.PAUSED))
        if verb == "retry":
            return any(counts.get(state) for state in _MAY_RETRY)
        return self.run.state not in RUN_FINAL

    def may_item(self, verb: Verb, item: ItemRow) -> bool:
        """Say whether a verb would do anything to an item."""
        if verb == "cancel":
            is_asked = is_cancel_asked(item) or self.asked.get(item.id) == "cancel"
            return not cannot_cancel(item) and not is_asked
        wanted = {"pause": _MAY_PAUSE, "resume": _MAY_RESUME, "retry": _MAY_RETRY}
        return item.state in wanted[verb]

    def item_rows(self, item_ids: Sequence[str]) -> list[ItemRow]:
        """Return the items with these ids that are here."""
        return [row for key in item_ids if (row := self.items.table.row(key)) is not None]

    def next_look(self) -> str:
        """Say when the selected item's doubt is looked at; empty where it has none."""
        if self.item is None or self.ledger is None:
            return ""
        account = self._fleet.accounts.table.row(self.item.account_id)
        platform = account.platform if account else Platform.INSTAGRAM
        return next_look(self.ledger.entries, visibility_of(platform, self.item.driver))

    def control(self, verb: Verb, item_ids: Sequence[str] | None = None) -> None:
        """Pause, resume, cancel or retry the run, or some items of it."""
        if self.run_id is None:
            return
        what = count_of(len(item_ids), "item") if item_ids else "the run"
        self._say(ControlReport(verb, what))
        work = self._control(self.run_id, verb, what, list(item_ids) if item_ids else None)
        self._context.tasks.spawn(self, work, f"{verb} run")

    def undo(self) -> None:
        """Take back the pause that the report is about."""
        if self.report is not None and self.report.verb == "pause" and self._reported:
            self.control("resume", sorted(self._reported))

    def dismiss_report(self) -> None:
        """Hide the report; what was asked goes on."""
        self._say(None)

    def screen_account(self) -> str | None:
        """Return the account whose screen is shown: of the selected item, else a running one."""
        chosen = self.item
        if chosen is not None:
            is_live = chosen.driver == "browser" and chosen.state is ItemState.RUNNING
            return chosen.account_id if is_live else None
        for item in self.items.table.rows():
            if item.driver == "browser" and item.state is ItemState.RUNNING:
                return item.account_id
        return None

    def username_of(self, account_id: str) -> str:
        """Return the user name of an account, for its screen."""
        account = self._fleet.accounts.table.row(account_id)
        return account.username if account else ""

    def item_counts(self) -> Counter[ItemState]:
        """Return the items that are here, by state."""
        return Counter(item.state for item in self.items.table.rows())

    async def _control(self, run_id: str, verb: Verb, what: str, ids: list[str] | None) -> None:
        command = ControlRun.model_validate({"verb": verb, "item_ids": ids})
        before = {item.id: item.attempt for item in self.items.table.rows()}
        try:
            changed = await self._context.core.control_run(run_id, command)
        except BaseException:
            self._say(None)
            raise
        if run_id != self.run_id:
            return
        refused = gather_refusals(changed.refused, self._title_of)
        self.asked.update(dict.fromkeys(changed.ids, verb))
        self._asked_attempts |= {key: before.get(key, 0) for key in changed.ids}
        self._reported = frozenset(changed.ids)
        self._say(ControlReport(verb, what, len(changed.ids), refused=refused))
        self._follow_asked()

    def _follow_asked(self) -> None:
        """Take out what shows by now, and count what does not."""
        waits_for: set[str] = set()
        for item in self.item_rows(list(self.asked)):
            if has_taken_effect(self.asked[item.id], item, self._asked_attempts[item.id]):
                del self.asked[item.id], self._asked_attempts[item.id]
            elif item.id in self._reported:
                away = f"{item.agent or 'the agent'} to be back"
                waits_for.add(waited_for(item) if item.agent_online else away)
        if self.report is not None and self.report.accepted is not None:
            waiting = len(self._reported & self.asked.keys())
            words = " and ".join(sorted(waits_for))
            self._say(replace(self.report, waiting=waiting, waits_for=words))

    def _title_of(self, item_id: str) -> str:
        item = self.items.table.row(item_id)
        return f"{item.username}, {item.title}" if item else ""

    def _say(self, report: ControlReport | None) -> None:
        if report != self.report:
            self.report = report
            self.report_changed.emit()

    def _read_again(self) -> None:
        self._context.tasks.spawn(self, self._read(self.run_id), "read a run")

    async def _read(self, run_id: str | None) -> None:
        watched = frozenset({run_id}) if run_id else frozenset[str]()
        await self._fleet.watch_runs(_WATCHER, watched)
        if run_id is None or run_id != self.run_id:
            return
        self.items.begin()
        page = await self._context.core.run_items(run_id)
        rows = list(page.rows)
        while len(rows) < page.total:
            more = await self._context.core.run_items(run_id, offset=len(rows))
            if not more.rows:
                break
            rows += more.rows
        if run_id != self.run_id:
            return
        self.items.load(rows, page.revision)
        self._follow_asked()
        self.counts_changed.emit()
        if self._log is None:
            self._log = LogTail(run_id, self._context.core, self._context.tasks)
            self._log.lines_arrived.connect(self.lines_arrived)
        self._log.read_on()

    def _take(self, delta: Delta) -> None:
        mine = [item for item in delta.items if item.run_id == self.run_id]
        gone = delta.removed.get("items", ())
        self.items.apply(delta.revision, mine, gone)
        if self.run_id in delta.log_sizes and self._log is not None:
            self._log.read_on(delta.log_sizes[self.run_id])
        if mine:
            self._follow_asked()
            self.counts_changed.emit()
        if any(item.id == self.item_id for item in mine):
            self._read_ledger()

    def _read_ledger(self) -> None:
        if self.item_id is not None:
            self._context.tasks.spawn(self, self._fetch_ledger(self.item_id), "ledger")

    async def _fetch_ledger(self, item_id: str) -> None:
        ledger = await self._context.core.item_ledger(item_id)
        if item_id == self.item_id:
            self.ledger = ledger
            self.ledger_changed.emit()
