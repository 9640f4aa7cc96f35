"""The accounts page: search, chips, the table, the inspector, and acts on one or many."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from common.domain.states import SignInState
from common.errors import WireError
from desktop_app.contract.accounts import AccountRow
from desktop_app.ui.aio import ask
from desktop_app.ui.commands.registry import Command
from desktop_app.ui.models.accounts import account_facts, state_pill
from desktop_app.ui.models.control import Verb
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.presenters.account_ledger import AccountLedgerPresenter
from desktop_app.ui.presenters.accounts import AccountsPresenter
from desktop_app.ui.presenters.work import WorkPresenter
from desktop_app.ui.views.context import ViewContext, waiting_state
from desktop_app.ui.views.dialogs.base import ConfirmDialog
from desktop_app.ui.views.dialogs.edit_accounts import EditAccountsDialog
from desktop_app.ui.views.dialogs.hold_accounts import HoldDialog
from desktop_app.ui.views.dialogs.import_accounts import ImportDialog
from desktop_app.ui.views.dialogs.move_accounts import MoveAccountsDialog
from desktop_app.ui.views.dialogs.work import WORK_VERBS, confirm_cancel
from desktop_app.ui.views.widgets.account_ledger import AccountLedgerView
from desktop_app.ui.views.widgets.bulk_bar import BulkBar
from desktop_app.ui.views.widgets.chip_bar import ChipBar
from desktop_app.ui.views.widgets.chips import Chip
from desktop_app.ui.views.widgets.control_strip import ControlStrip
from desktop_app.ui.views.widgets.controls import button, icon_button, row
from desktop_app.ui.views.widgets.data_table import DataTable, show_in
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.inspector import Act, Inspector
from desktop_app.ui.views.widgets.page import Page


class AccountsPage(Page):
    """All accounts."""

    run_wanted = Signal(str)
    compose_wanted = Signal(list)
    """Ids of accounts to compose for."""
    card_wanted = Signal(str)
    """An open attention card of an account."""
    item_wanted = Signal(str, str)
    """A run, and an item of it."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context.theme, "Accounts", "accounts")
        self._context = context
        self.presenter = AccountsPresenter(context.presenters)
        self.work = WorkPresenter(context.presenters)
        self.ledger = AccountLedgerView(context.theme, AccountLedgerPresenter(context.presenters))
        self._build_head()
        self._build_chips()
        self._build_body()
        self._connect()
        context.commands.add(*self._commands())
        self._refresh()
        self._refresh_chips()

    # Building

    def _build_head(self) -> None:
        columns = icon_button(self.theme, "columns-3", "Choose columns")
        columns.clicked.connect(lambda: show_in(self, self.table.column_menu(), columns))
        self.acts.addWidget(columns)
        self.acts.addWidget(
            button(self.theme, "Import…", "primary", icon="plus", on_click=self.import_accounts)
        )

    def _build_chips(self) -> None:
        self.state_bar = ChipBar(self.theme, "State", shrinks=False)
        self.tag_bar = ChipBar(self.theme, "Tag")
        strip = QFrame()
        strip.setObjectName("toolbar")
        line = row(self.state_bar, self.tag_bar, spacing=20)
        line.setStretch(1, 1)
        line.setContentsMargins(20, 0, 16, 12)
        strip.setLayout(line)
        self.strip = strip
        self.body.addWidget(strip)

    def _build_body(self) -> None:
        self.table = DataTable(self.theme, self.presenter.table, "Accounts")
        self.table.make_menu = self._menu
        self.empty = EmptyState(self.theme)
        self.main = self.table
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.empty)
        self.inspector = Inspector(self.theme, "accounts")
        self.inspector.add_tab(self.ledger, "Ledger")
        self.inspector.hide()
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.stack)
        splitter = QSplitter()
        splitter.addWidget(holder)
        splitter.addWidget(self.inspector)
        splitter.setStretchFactor(0, 1)
        splitter.setChildrenCollapsible(False)
        self.report = ControlStrip(self.theme)
        self.body.addWidget(self.report)
        self.body.addWidget(splitter, 1)
        self.bulk = BulkBar(self.theme, holder, "account")
        self.bulk.add("Sign in", "log-in", lambda: self.sign_in(self.table.selected_ids()))
        self.bulk.add("Compose", "pen-line", lambda: self.compose_wanted.emit(self._selected()))
        self.bulk.add("Hold", "pause", lambda: self.hold(self.table.selected_ids()))
        self.bulk.add("Release", "play", lambda: self.presenter.release(self._selected()))
        self.bulk.add_menu(
            "Work",
            "list-checks",
            [(text, icon, partial(self._control_chosen, verb)) for verb, text, icon in WORK_VERBS],
        )
        self.bulk.add("Move", "arrow-right-left", lambda: self.move_to_agent(self._selected()))
        self.bulk.add("Edit", "pencil", lambda: self.edit(self.table.selected_ids()))
        self.bulk.add("Delete", "trash-2", lambda: self.delete(self.table.selected_ids()))

    def _connect(self) -> None:
        presenter, table = self.presenter, self.presenter.table
        if self.search is not None:
            self.search.asked.connect(presenter.set_search)
        self.state_bar.chosen.connect(lambda on: presenter.choose(states=on))
        self.tag_bar.chosen.connect(lambda on: presenter.choose(tags=on))
        presenter.counts_changed.connect(self._refresh_chips)
        presenter.filter_changed.connect(self._refresh_chips)
        presenter.filter_changed.connect(self._refresh)
        presenter.run_started.connect(self.run_wanted)
        for signal in (table.modelReset, table.rowsInserted, table.rowsRemoved):
            signal.connect(self._refresh)
        table.dataChanged.connect(self._refresh_inspector)
        self._context.fleet.status_changed.connect(self._refresh)
        self.table.chosen.connect(self._selection_changed)
        self.table.inspected.connect(self.toggle_inspector)
        self.table.opened.connect(lambda _: self.inspect())
        self.inspector.closed.connect(self._close_inspector)
        self.bulk.cleared.connect(self.table.clearSelection)
        self.work.report_changed.connect(self._show_report)
        self.report.dismissed.connect(self.work.dismiss)
        self.inspector.tab_changed.connect(self._follow_ledger)
        self.ledger.item_wanted.connect(self.item_wanted)

    def _commands(self) -> tuple[Command, ...]:
        def any_chosen() -> bool:
            return self.isVisible() and bool(self.table.selectionModel().hasSelection())

        section = "Accounts"
        return (
            Command(
                id="accounts.import", title="Import accounts", section=section, icon="plus",
                shortcut="Ctrl+I", run=self.import_accounts, words="add paste csv",
            ),
            Command(
                id="accounts.sign_in", title="Sign in the selected accounts", section=section,
                icon="log-in", run=lambda: self.sign_in(self._selected()), is_enabled=any_chosen,
            ),
            Command(
                id="accounts.hold", title="Hold the selected accounts", section=section,
                icon="pause", run=lambda: self.hold(self._selected()), is_enabled=any_chosen,
            ),
            Command(
                id="accounts.release", title="Release the selected accounts", section=section,
                icon="play", run=lambda: self.presenter.release(self._selected()),
                is_enabled=any_chosen,
            ),
            *(
                Command(
                    id=f"accounts.work.{verb}", title=f"{text} of the selected accounts",
                    section=section, icon=icon, run=partial(self._control_chosen, verb),
                    is_enabled=any_chosen, words="items jobs stop",
                )
                for verb, text, icon in WORK_VERBS
            ),
            Command(
                id="accounts.move", title="Move the selected accounts to another agent",
                section=section, icon="arrow-right-left",
                run=lambda: self.move_to_agent(self._selected()), is_enabled=any_chosen,
            ),
            Command(
                id="accounts.ledger", title="Ledger of the selected account", section=section,
                icon="scroll-text", shortcut="Ctrl+L", run=self.show_ledger,
                is_enabled=any_chosen, words="history posts doubt",
            ),
            Command(
                id="accounts.edit", title="Edit the selected accounts", section=section,
                icon="pencil", run=lambda: self.edit(self._selected()), is_enabled=any_chosen,
                words="tags driver proxy password",
            ),
            Command(
                id="accounts.delete", title="Delete the selected accounts", section=section,
                icon="trash-2", run=lambda: self.delete(self._selected()), is_enabled=any_chosen,
            ),
        )  # fmt: skip

    # Acts

    def import_accounts(self) -> None:
        """Open the import."""
        self._spawn(self._import(), "import dialog")

    def sign_in(self, ids: Sequence[str]) -> None:
        """Start a bulk login of these accounts."""
        self.presenter.sign_in(ids)

    def hold(self, ids: Sequence[str]) -> None:
        """Ask for the reason, then hold."""
        self._spawn(self._hold(list(ids)), "hold dialog")

    def edit(self, ids: Sequence[str]) -> None:
        """Open the editor for these accounts."""
        self._spawn(self._edit(list(ids)), "edit dialog")

    def delete(self, ids: Sequence[str]) -> None:
        """Ask, then delete."""
        self._spawn(self._delete(list(ids)), "delete dialog")

    def control_work(self, verb: Verb, ids: Sequence[str]) -> None:
        """Pause, resume or cancel everything that these accounts have to do; cancel asks first."""
        if verb == "cancel":
            self._spawn(self._cancel_work(list(ids)), "cancel dialog")
        else:
            self.work.control(verb, account_ids=ids)

    def move_to_agent(self, ids: Sequence[str]) -> None:
        """Open the move of these accounts."""
        self._spawn(self._move(list(ids)), "move dialog")

    def move_all_of(self, agent_id: str) -> None:
        """Select every account of an agent, and open their move."""
        self.presenter.clear_filter()
        ids = [row.id for row in self.presenter.table.rows() if row.agent_id == agent_id]
        self.table.select_ids(ids)
        self.move_to_agent(ids)

    def show_ledger(self) -> None:
        """Show the ledger of the account that is inspected."""
        self.inspector.go_to(self.ledger)
        self.inspect()

    def show_state(self, state: str) -> None:
        """Show accounts of one state."""
        self.presenter.clear_filter()
        self.presenter.choose(states=frozenset({state}) if state else frozenset())

    def show_account(self, account_id: str) -> None:
        """Select one account and inspect it."""
        if self.presenter.table.line(account_id) is None:
            self.presenter.clear_filter()
        self.table.select_ids([account_id])
        self.inspect()
        self.table.setFocus()

    def inspect(self) -> None:
        """Show everything of the selected account."""
        self.inspector.show()
        self._refresh_inspector()

    def toggle_inspector(self) -> None:
        """Show or hide the inspector."""
        self.inspector.setVisible(self.inspector.isHidden())
        self._refresh_inspector()

    async def _import(self) -> None:
        dialog = ImportDialog(
            self.theme,
            self.window(),
            self._context.tasks,
            self.presenter.try_import,
            self.presenter.practice_url(),
        )
        await ask(dialog)

    async def _hold(self, ids: list[str]) -> None:
        dialog = HoldDialog(self.theme, self.window(), len(ids))
        if await ask(dialog):
            self.presenter.hold(ids, dialog.reason.text().strip())

    async def _edit(self, ids: list[str]) -> None:
        rows = self.presenter.rows_of(ids)
        if not rows:
            return
        dialog = EditAccountsDialog(self.theme, self.window(), rows)
        if await ask(dialog):
            self.presenter.edit(dialog.command())

    async def _cancel_work(self, ids: list[str]) -> None:
        dialog = confirm_cancel(self.theme, self.window(), self._named(ids))
        if await ask(dialog):
            self.work.control("cancel", account_ids=ids)

    async def _move(self, ids: list[str]) -> None:
        rows = self.presenter.rows_of(ids)
        if not rows:
            return
        dialog = MoveAccountsDialog(
            self.theme,
            self.window(),
            self._context.tasks,
            rows,
            self.work.agents(),
            lambda left, agent_id, accept: self.work.move(left, agent_id, accept_risk=accept),
        )
        await ask(dialog)

    async def _delete(self, ids: list[str]) -> None:
        what = count_of(len(ids), "account")
        dialog = ConfirmDialog(
            self.theme,
            self.window(),
            f"Delete {what}?",
            "Their passwords and sessions are removed from this machine. What was published stays "
            "on the platform, and in the ledger.",
            f"Delete {what}",
        )
        if await ask(dialog):
            self.presenter.delete(ids)

    # Showing

    def _named(self, ids: Sequence[str]) -> str:
        rows = self.presenter.rows_of(ids)
        return rows[0].username if len(rows) == 1 else count_of(len(ids), "account")

    def _control_chosen(self, verb: Verb) -> None:
        self.control_work(verb, self._selected())

    def _follow_ledger(self) -> None:
        """Read the ledger of the account that is inspected, while its tab is looked at."""
        ids = self.table.selected_ids()
        looked_at = self.inspector.is_on(self.ledger) and bool(ids)
        self.ledger.presenter.look_at(ids[0] if looked_at else None)

    def _selected(self) -> list[str]:
        return self.table.selected_ids()

    def _show_report(self) -> None:
        self.report.show_report(self.work.report)

    def _selection_changed(self, ids: list[str]) -> None:
        self.bulk.show_count(len(ids))
        if len(ids) == 1 and self.isVisible():
            self.inspector.show()
        self._refresh_inspector()

    def _close_inspector(self) -> None:
        self.inspector.hide()
        self.table.setFocus()

    def _refresh(self, *_: object) -> None:
        table = self.presenter.table
        shown, total = table.rowCount(), table.total
        self.count.setText(
            f"{shown:,} of {total:,}" if shown != total else f"{total:,}" if total else ""
        )
        self.strip.setVisible(total > 0)
        empty = self._empty_state()
        if empty is not None:
            self.empty.show_empty(empty)
        self.stack.setCurrentWidget(self.table if empty is None else self.empty)
        if self.search is not None and self.search.text().strip() != self.presenter.search:
            self.search.setText(self.presenter.search)

    def _empty_state(self) -> Empty | None:
        table = self.presenter.table
        if table.rowCount():
            return None
        if table.total:
            return Empty(
                "list-filter", "No account fits",
                "No account has what you search for, in the states and tags that are chosen.",
                "Clear the filter", self.presenter.clear_filter, "x",
            )  # fmt: skip
        waiting = waiting_state(self._context.fleet, self._context.fleet.accounts.is_loaded)
        return waiting or Empty(
            "users", "Add your accounts",
            "Paste a list or choose a CSV file: user name, password, TOTP seed, proxy, tags. "
            "You see every problem before anything is added.",
            "Import accounts…", self.import_accounts, "plus",
        )  # fmt: skip

    def _refresh_chips(self) -> None:
        presenter = self.presenter
        self.state_bar.set_chips(
            [
                Chip(key, text, presenter.states[key], icon, colour)
                for key, text, icon, colour in presenter.state_chips()
            ],
            presenter.chosen_states,
        )
        tags = sorted(presenter.tags.items(), key=lambda pair: (-pair[1], pair[0]))
        self.tag_bar.set_chips(
            [Chip(tag, tag, count, "tag", "text_faint") for tag, count in tags],
            presenter.chosen_tags,
        )

    def _refresh_inspector(self, *_: object) -> None:
        if self.inspector.isHidden():
            return
        rows = self.presenter.rows_of(self.table.selected_ids()[:1])
        if not rows:
            self.inspector.hide()
            return
        self._inspect(rows[0])
        self._follow_ledger()

    def _inspect(self, account: AccountRow) -> None:
        inspector = self.inspector
        inspector.show_head(account.username, account.full_name, state_pill(account))
        error = account.hold.error if account.hold and account.hold.error else account.error
        inspector.show_error(error, self._act_for(account, error))
        inspector.facts.show_facts(account_facts(account))
        inspector.show_acts(self._acts_of(account))

    def _act_for(self, account: AccountRow, error: WireError | None) -> Act | None:
        if error is None:
            return None
        if error.code in ("credentials_refused", "second_factor_refused", "proxy_failed"):
            text = "Edit proxy…" if error.code == "proxy_failed" else "Edit credentials…"
            return Act(text, lambda: self.edit([account.id]), icon="pencil")
        return Act("Sign in again", lambda: self.sign_in([account.id]), icon="log-in")

    def _acts_of(self, account: AccountRow) -> list[Act]:
        key = [account.id]
        acts = []
        cards = self._context.fleet.cards.table.rows()
        card = next((each.id for each in cards if each.account_id == account.id), None)
        if card is not None:
            acts.append(
                Act("Answer its card", lambda: self.card_wanted.emit(card), "primary", "inbox")
            )
        if account.hold is not None:
            acts.append(Act("Release", lambda: self.presenter.release(key), "primary", "play"))
        elif account.sign_in is not SignInState.SIGNED_IN:
            acts.append(Act("Sign in", lambda: self.sign_in(key), "primary", "log-in"))
        acts.append(Act("Compose for it", lambda: self.compose_wanted.emit(key), icon="pen-line"))
        if account.profile_url:
            url = QUrl(account.profile_url)
            acts.append(
                Act("Open its page", lambda: QDesktopServices.openUrl(url), icon="external-link")
            )
        acts.append(
            Act(
                "Its work",
                icon="list-checks",
                menu=tuple(
                    (text, icon, partial(self.control_work, verb, key))
                    for verb, text, icon in WORK_VERBS
                ),
            )
        )
        acts.append(Act("Move…", lambda: self.move_to_agent(key), icon="arrow-right-left"))
        acts.append(Act("Edit…", lambda: self.edit(key), icon="pencil"))
        if account.hold is None:
            acts.append(Act("Hold…", lambda: self.hold(key), icon="pause"))
        acts.append(Act("Delete…", lambda: self.delete(key), "danger", "trash-2"))
        return acts

    def _menu(self, ids: list[str]) -> QMenu:
        menu = QMenu(self)
        what = "" if len(ids) == 1 else f" {count_of(len(ids), 'account')}"
        for text, icon, act in (
            (f"Sign in{what}", "log-in", lambda: self.sign_in(ids)),
            (f"Compose for{what or ' it'}", "pen-line", lambda: self.compose_wanted.emit(ids)),
            (f"Hold{what}…", "pause", lambda: self.hold(ids)),
            (f"Release{what}", "play", lambda: self.presenter.release(ids)),
            *(
                (
                    f"{text}{' of' + what if what else ''}",
                    icon,
                    partial(self.control_work, verb, ids),
                )
                for verb, text, icon in WORK_VERBS
            ),
            (f"Move{what}…", "arrow-right-left", lambda: self.move_to_agent(ids)),
            (f"Edit{what}…", "pencil", lambda: self.edit(ids)),
            (f"Delete{what}…", "trash-2", lambda: self.delete(ids)),
        ):
            menu.addAction(self.theme.icon(icon), text).triggered.connect(
                lambda _=False, do=act: do()
            )
        return menu

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._context.tasks.spawn(self, work, name)
