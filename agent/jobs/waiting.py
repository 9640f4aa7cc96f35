"""Which item runs next: first come, first served within an account, in turn among accounts. Pure.

An item whose effect is in doubt comes before everything else of its account: it only looks until
that is settled, and nothing else of the account is published meanwhile. Knows nothing of processes
or files; the supervisor tells it what it needs to know and asks.
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
    in_doubt: bool = False
    """True where its effect may exist already: it looks before it does anything else."""


def waiting_item(item: ItemSpec, position: int, *, in_doubt: bool = False) -> WaitingItem:
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
        in_doubt=in_doubt,
    )


def runner_kind(driver: DriverName) -> RunnerKind:
    """Say which kind of runner a driver lives in."""
    return RunnerKind.BROWSER if driver is DriverName.BROWSER else RunnerKind.API


@dataclass(slots=True)
class _Account:
    waiting: list[WaitingItem] = field(default_factory=list)
    """Those in doubt first, then by position."""
    is_busy: bool = False
    held_by: set[str] = field(default_factory=set)
    """Items that keep every other one from publishing until a person has dealt with them."""


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
        self._may_publish = True

    def __len__(self) -> int:
        return len(self._account_of)

    def add(self, item: WaitingItem) -> None:
        """Put an item in its place."""
        account = self._accounts.setdefault(item.account_id, _Account())
        account.waiting.append(item)
        self._account_of[item.item_id] = item.account_id
        account.waiting.sort(key=lambda waiting: (not waiting.in_doubt, waiting.position))
        for sha256 in item.blobs:
            if not self._has_blob(sha256):
                self._wanted.setdefault(sha256, set()).add(item.account_id)
        if item.not_before and not item.in_doubt:
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

    def hold(self, account_id: str, item_id: str) -> list[WaitingItem]:
        """Publish nothing more for this account because of one item; returns what this stops."""
        account = self._accounts.setdefault(account_id, _Account())
        account.held_by.add(item_id)
        return _publishing(account, item_id)

    def held_back(self, doubtful: WaitingItem) -> list[WaitingItem]:
        """Return what waits because an item of the same account is in doubt."""
        account = self._accounts.get(doubtful.account_id)
        return _publishing(account, doubtful.item_id) if account else []

    def lift(self, account_id: str, item_id: str) -> None:
        """Note that this item keeps nothing back any more."""
        account = self._accounts.get(account_id)
        if account is not None and item_id in account.held_by:
            account.held_by.remove(item_id)
            self._queue(account_id)
            self._forget_if_idle(account_id)

    def may_publish(self, account_id: str, item_id: str) -> bool:
        """Say whether nothing but its own turn keeps an item from publishing."""
        account = self._accounts.get(account_id)
        return self._may_publish and (account is None or not _is_held(account, item_id))

    def allow_publishing(self, allowed: bool) -> None:
        """Let items publish, or none of any account."""
        self._may_publish = allowed
        if allowed:
            for account_id in self._accounts:
                self._queue(account_id)

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

    def _first_ready(self, account_id: str, kind: RunnerKind, now: float) -> WaitingItem | None:
        account = self._accounts.get(account_id)
        if account is None or account.is_busy:
            return None
        ready = (item for item in account.waiting if self._is_ready(item, now))
        first = next(ready, None)
        if first is not None and first.kind is not kind:
            self._queue_for(first.kind, account_id)
            return None
        return first

    def _is_ready(self, item: WaitingItem, now: float) -> bool:
        if not item.in_doubt:
            if item.not_before > now:
                return False
            if item.publishes and not self.may_publish(item.account_id, item.item_id):
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
        if not account.waiting and not account.is_busy and not account.held_by:
            del self._accounts[account_id]


def _publishing(account: _Account, but: str) -> list[WaitingItem]:
    return [
        item
        for item in account.waiting
        if item.publishes and not item.in_doubt and item.item_id != but
    ]


def _is_held(account: _Account, item_id: str) -> bool:
    """Say whether another item of the account has to be settled before this one publishes."""
    if account.held_by - {item_id}:
        return True
    first = account.waiting[:2]  # those in doubt come first
    return any(other.in_doubt and other.item_id != item_id for other in first)


def _kinds(items: Iterable[WaitingItem]) -> list[RunnerKind]:
    kinds = {item.kind for item in items}
    return [kind for kind in RunnerKind if kind in kinds]
