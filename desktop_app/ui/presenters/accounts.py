"""The accounts page: its filter, its counts, and what can be done to accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any

from pydantic import SecretStr
from PySide6.QtCore import QObject, QTimer, Signal

from common.domain.accounts import Platform
from common.domain.states import SignInState, look_of
from desktop_app.contract.accounts import (
    AccountRow,
    DeleteAccounts,
    EditAccounts,
    HoldAccounts,
    ImportAccounts,
    ImportResult,
)
from desktop_app.contract.runs import RunTask, Targets
from desktop_app.ui.models.accounts import HELD, state_key
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.presenters.context import PresenterContext
from desktop_app.ui.presenters.notices import Notice

_COUNT_MILLISECONDS = 200


class AccountsPresenter(QObject):
    """What the accounts page shows and does."""

    counts_changed = Signal()
    filter_changed = Signal()
    run_started = Signal(str)
    """The id of a run that an act here started."""

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self.table = context.fleet.accounts.table
        self.tags: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.chosen_tags: frozenset[str] = frozenset()
        self.chosen_states: frozenset[str] = frozenset()
        self.search = ""
        self._count_soon = QTimer(self)
        self._count_soon.setSingleShot(True)
        self._count_soon.setInterval(_COUNT_MILLISECONDS)
        self._count_soon.timeout.connect(self._count)
        for signal in (
            self.table.modelReset,
            self.table.rowsInserted,
            self.table.rowsRemoved,
            self.table.dataChanged,
        ):
            signal.connect(self._count_later)
        self._count()

    @property
    def is_filtered(self) -> bool:
        """True while rows are hidden by search or chips."""
        return bool(self.search or self.chosen_tags or self.chosen_states)

    def state_chips(self) -> list[tuple[str, str, str, str]]:
        """Return key, label, icon and colour of every state that some account is in."""
        chips = [
            (state.value, look.label, look.icon, look.colour)
            for state in SignInState
            for look in (look_of(state),)
        ]
        chips.append(("held", HELD.text, HELD.icon, HELD.colour))
        return [chip for chip in chips if self.states[chip[0]] or chip[0] in self.chosen_states]

    def set_search(self, text: str) -> None:
        """Show accounts in which every word of `text` is found."""
        self.search = text.strip()
        self.table.set_search(text)
        self.filter_changed.emit()

    def choose(
        self, *, tags: frozenset[str] | None = None, states: frozenset[str] | None = None
    ) -> None:
        """Show accounts with any of these tags, and in any of these states; empty is all."""
        self.chosen_tags = self.chosen_tags if tags is None else tags
        self.chosen_states = self.chosen_states if states is None else states
        self.table.set_filter(
            self._lets_through if self.chosen_tags or self.chosen_states else None
        )
        self.filter_changed.emit()

    def clear_filter(self) -> None:
        """Show all accounts."""
        self.search = ""
        self.table.set_search("")
        self.choose(tags=frozenset(), states=frozenset())

    def sign_in(self, ids: Sequence[str]) -> None:
        """Start a bulk login of these accounts."""
        self._spawn(self._sign_in(list(ids)), "sign in")

    def hold(self, ids: Sequence[str], reason: str) -> None:
        """Stop accounts from being used; offers to undo it."""
        self._spawn(self._hold(list(ids), True, reason), "hold accounts")

    def release(self, ids: Sequence[str]) -> None:
        """Let held accounts go again."""
        self._spawn(self._hold(list(ids), False, ""), "release accounts")

    def edit(self, command: EditAccounts) -> None:
        """Change accounts."""
        self._spawn(self._edit(command), "edit accounts")

    def delete(self, ids: Sequence[str]) -> None:
        """Remove accounts. What was published stays in the ledger."""
        self._spawn(self._delete(list(ids)), "delete accounts")

    async def try_import(self, command: ImportAccounts) -> ImportResult:
        """Import, or with `dry_run` say what that would do. Raises FlotillaError."""
        result = await self._context.core.import_accounts(command)
        if result.applied:
            text = f"Imported {count_of(result.accounts, 'account')}."
            self._context.notices.say(Notice("success", text))
        return result

    def practice_url(self) -> str:
        """Return the practice platform that known practice accounts live on, or nothing."""
        for account in self.table.rows():
            if account.platform is Platform.PRACTICE and "//" in account.profile_url:
                scheme, _, rest = account.profile_url.partition("//")
                return f"{scheme}//{rest.split('/')[0]}"
        return ""

    def rows_of(self, ids: Sequence[str]) -> list[AccountRow]:
        """Return the accounts with these ids that still exist."""
        return [row for key in ids if (row := self.table.row(key)) is not None]

    async def _sign_in(self, ids: list[str]) -> None:
        command = RunTask(task="bulk_login", parameters={}, targets=Targets(account_ids=ids))
        started = await self._context.core.run_task(command)
        if started.run_id is None:
            errors = [p for p in started.preflight.problems if p.severity == "error"]
            first = errors[0].message if errors else "No account can be signed in."
            self._context.notices.say(Notice("danger", f"The sign-in did not start: {first}"))
            return
        run_id = started.run_id
        items = count_of(len(started.preflight.items), "account")
        self._context.notices.say(
            Notice(
                "success",
                f"Signing in {items}.",
                act="Show the run",
                run=lambda: self._show(run_id),
            )
        )

    def _show(self, run_id: str) -> None:
        self.run_started.emit(run_id)

    async def _hold(self, ids: list[str], hold: bool, reason: str) -> None:
        command = HoldAccounts(ids=ids, hold=hold, reason=reason)
        changed = await self._context.core.hold_accounts(command)
        done = [key for key in ids if key not in changed.refused]
        what = count_of(len(done), "account")
        notices = self._context.notices
        if done and hold:
            undo = f"Undo hold of {what}"
            notices.say(
                Notice("success", f"Held {what}.", act=undo, run=lambda: self.release(done))
            )
        elif done:
            notices.say(Notice("success", f"Released {what}."))
        notices.refused(changed.refused, "Left as they were")

    async def _edit(self, command: EditAccounts) -> None:
        changed = await self._context.core.edit_accounts(command)
        done = len(command.ids) - len(changed.refused)
        if done:
            self._context.notices.say(Notice("success", f"Changed {count_of(done, 'account')}."))
        self._context.notices.refused(changed.refused, "Left as they were")

    async def _delete(self, ids: list[str]) -> None:
        changed = await self._context.core.delete_accounts(DeleteAccounts(ids=ids))
        done = len(ids) - len(changed.refused)
        if done:
            self._context.notices.say(Notice("success", f"Deleted {count_of(done, 'account')}."))
        self._context.notices.refused(changed.refused, "Not deleted")

    def _lets_through(self, account: AccountRow) -> bool:
        if self.chosen_states and state_key(account) not in self.chosen_states:
            return False
        return not self.chosen_tags or not self.chosen_tags.isdisjoint(account.tags)

    def _count_later(self, *_: object) -> None:
        if not self._count_soon.isActive():
            self._count_soon.start()

    def _count(self) -> None:
        tags: Counter[str] = Counter()
        states: Counter[str] = Counter()
        for account in self.table.rows():
            tags.update(account.tags)
            states[state_key(account)] += 1
        if (tags, states) != (self.tags, self.states):
            self.tags, self.states = tags, states
            self.counts_changed.emit()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._context.tasks.spawn(self, work, name)


def import_command(
    text: str,
    *,
    platform: Platform,
    platform_url: str,
    tags: Sequence[str],
    dry_run: bool,
    confirmed: bool,
) -> ImportAccounts:
    """Return the command of the import dialog."""
    return ImportAccounts(
        text=SecretStr(text),
        platform=platform,
        platform_url=platform_url if platform is Platform.PRACTICE else "",
        tags=list(tags),
        dry_run=dry_run,
        confirmed_authority=confirmed,
    )
