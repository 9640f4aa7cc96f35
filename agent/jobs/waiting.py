"""Which item runs next: first come, first served within an account, in turn among accounts. Pure.

Knows nothing of processes or files; the supervisor tells it what it needs to know and asks.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from agent.runners.messages import RunnerKind
from common.domain.accounts import DriverName
from common.items import ItemSpec


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """An item that waits for its turn; without secrets."""

    item_id: str
    attempt: int
    account_id: str
    kind: RunnerKind
    position: int
    not_before: float
    """Earliest start, seconds since 1970; 0 for at once."""
    blobs: tuple[str, ...]
    """SHA-256 of each file it needs."""
    publishes: bool


def waiting_item(item: ItemSpec, position: int) -> WaitingItem:
    """Return what the queue keeps of an item."""
    return WaitingItem(
        item_id=item.item_id,
        attempt=item.attempt,
        account_id=item.account.account_id,
        kind=runner_kind(item.account.driver),
        position=position,
        not_before=item.not_before or 0.0,
        blobs=tuple(media.sha256 for media in item.media()),
        publishes=item.publish is not None,
    )


def runner_kind(driver: DriverName) -> RunnerKind:
    """Say which kind of runner a driver lives in."""
    return RunnerKind.BROWSER if driver is DriverName.BROWSER else RunnerKind.API


@dataclass(slots=True)
class _Account:
    waiting: list[WaitingItem] = field(default_factory=list)
    """By position."""
    is_busy: bool = False
    is_held: bool = False
    """True while an effect is in doubt: nothing more is published."""


class WaitingItems:
    """Every item that waits, by account."""

    def __init__(self, has_blob: Callable[[str], bool]) -> None:
        self._has_blob = has_blob
        self._accounts: dict[str, _Account] = {}
        self._account_of: dict[str, str] = {}
        self._turn: dict[RunnerKind, deque[str]] = {kind: deque() for kind in RunnerKind}
        self._in_turn: dict[RunnerKind, set[str]] = {kind: set() for kind in RunnerKind}
        self._wanted: dict[str, set[str]] = {}
        self._due: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._account_of)

    def add(self, item: WaitingItem) -> None:
        """Put an item in its place."""
        account = self._accounts.setdefault(item.account_id, _Account())
        account.waiting.append(item)
        self._account_of[item.item_id] = item.account_id
        account.waiting.sort(key=lambda waiting: waiting.position)
        for sha256 in item.blobs:
            if not self._has_blob(sha256):
                self._wanted.setdefault(sha256, set()).add(item.account_id)
        if item.not_before:
            heapq.heappush(self._due, (item.not_before, item.account_id))
        self._queue(item.account_id)

    def remove(self, item_id: str) -> WaitingItem | None:
        """Take an item out, wherever it is; None where it does not wait."""
        account_id = self._account_of.pop(item_id, None)
        if account_id is None:
            return None
        waiting = self._accounts[account_id].waiting
        item = next(item for item in waiting if item.item_id == item_id)
        waiting.remove(item)
        self._forget_if_idle(account_id)
        return item

    def take(
        self, kind: RunnerKind, now: float, may_place: Callable[[str], bool]
    ) -> WaitingItem | None:
        """Take the next item of this kind that may start; its account is busy from then on.

        `may_place` says whether there is room for an account; accounts without room keep their
        turn.
        """
        turn = self._turn[kind]
        passed: list[str] = []
        found: WaitingItem | None = None
        while turn and found is None:
            account_id = turn.popleft()
            self._in_turn[kind].discard(account_id)
            item = self._first_ready(account_id, kind, now)
            if item is None:
                continue
            if may_place(account_id):
                found = item
            else:
                passed.append(account_id)
        for account_id in reversed(passed):
            turn.appendleft(account_id)
            self._in_turn[kind].add(account_id)
        if found is not None:
            account = self._accounts[found.account_id]
            account.waiting.remove(found)
            del self._account_of[found.item_id]
            account.is_busy = True
        return found

    def release(self, account_id: str) -> None:
        """Note that no item of this account is running any more."""
        account = self._accounts.get(account_id)
        if account is not None:
            account.is_busy = False
            self._queue(account_id)
            self._forget_if_idle(account_id)

    def hold(self, account_id: str) -> list[WaitingItem]:
        """Publish nothing more for this account; returns the items that this stops."""
        account = self._accounts.setdefault(account_id, _Account())
        account.is_held = True
        return [item for item in account.waiting if item.publishes]

    def lift(self, account_id: str) -> None:
        """Let the account publish again."""
        account = self._accounts.get(account_id)
        if account is not None:
            account.is_held = False
            self._queue(account_id)
            self._forget_if_idle(account_id)

    def blob_arrived(self, sha256: str) -> None:
        """Give those that waited for a file their turn."""
        for account_id in self._wanted.pop(sha256, ()):
            self._queue(account_id)

    def wake(self, now: float) -> float | None:
        """Give those whose time has come their turn; returns when the next one is due."""
        while self._due and self._due[0][0] <= now:
            _, account_id = heapq.heappop(self._due)
            self._queue(account_id)
        return self._due[0][0] if self._due else None

    def accounts(self) -> int:
        """Return how many accounts have items here, running ones included."""
        return len(self._accounts)

    def posts(self) -> list[WaitingItem]:
        """Return the items that publish, whatever they wait for."""
        return [
            item
            for account in self._accounts.values()
            for item in account.waiting
            if item.publishes
        ]

    def has_waiting(self, account_id: str) -> bool:
        """Say whether an item of this account waits."""
        account = self._accounts.get(account_id)
        return bool(account and account.waiting)

    def _first_ready(self, account_id: str, kind: RunnerKind, now: float) -> WaitingItem | None:
        account = self._accounts.get(account_id)
        if account is None or account.is_busy:
            return None
        ready = (item for item in account.waiting if self._is_ready(account, item, now))
        first = next(ready, None)
        if first is not None and first.kind is not kind:
            self._queue_for(first.kind, account_id)
            return None
        return first

    def _is_ready(self, account: _Account, item: WaitingItem, now: float) -> bool:
        if item.not_before > now or (account.is_held and item.publishes):
            return False
        return all(self._has_blob(sha256) for sha256 in item.blobs)

    def _queue(self, account_id: str) -> None:
        account = self._accounts.get(account_id)
        if account is None or account.is_busy:
            return
        for kind in _kinds(account.waiting):
            self._queue_for(kind, account_id)

    def _queue_for(self, kind: RunnerKind, account_id: str) -> None:
        if account_id not in self._in_turn[kind]:
            self._in_turn[kind].add(account_id)
            self._turn[kind].append(account_id)

    def _forget_if_idle(self, account_id: str) -> None:
        account = self._accounts[account_id]
        if not account.waiting and not account.is_busy and not account.is_held:
            del self._accounts[account_id]


def _kinds(items: Iterable[WaitingItem]) -> list[RunnerKind]:
    kinds = {item.kind for item in items}
    return [kind for kind in RunnerKind if kind in kinds]
