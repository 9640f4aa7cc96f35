"""Bearer tokens: who may command or watch. The agent keeps their SHA-256 only."""

from dataclasses import dataclass
from typing import Literal

from agent.jobs.journal import Journal, Transaction
from agent.jobs.meta import owner_store, set_owner_store
from common.security.pairing import is_same_digest, new_token, token_digest

Scope = Literal["control", "read"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows, and whose it is."""

    digest: str
    store_id: str
    scope: Scope
    name: str
    """The desktop's name, to show."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh token, given out once."""

    token: str
    grant: Grant


class Tokens:
    """The tokens of one agent, in the journal and in memory."""

    def __init__(self, journal: Journal, grants: list[Grant]) -> None:
        self._journal = journal
        self._grants = grants

    @property
    def has_any(self) -> bool:
        """True once a desktop is paired."""
        return bool(self._grants)

    def find(self, token: str) -> Grant | None:
        """Return what a token allows; None for an unknown one."""
        digest = token_digest(token)
        found: Grant | None = None
        for grant in self._grants:
            if is_same_digest(grant.digest, digest):
                found = grant
        return found

    async def issue(self, store_id: str, name: str, *, take_over: bool) -> Issued:
        """Make a token for a store: the first store owns the agent, others may watch.

        `take_over` makes this store the owner, and leaves earlier ones to watch.
        """
        token = new_token()
        digest = token_digest(token)
        self._grants = await self._journal.write(
            lambda transaction: _issue(transaction, digest, store_id, name, take_over=take_over)
        )
        return Issued(token, next(grant for grant in self._grants if grant.digest == digest))


def load_grants(transaction: Transaction) -> list[Grant]:
    """Return every token's grant."""
    found = transaction.execute("SELECT digest, store_id, scope, name FROM token ORDER BY digest")
    return [Grant(*row) for row in found]


def _issue(
    transaction: Transaction, digest: str, store_id: str, name: str, *, take_over: bool
) -> list[Grant]:
    owner = owner_store(transaction)
    if take_over and owner != store_id:
        transaction.execute("UPDATE token SET scope = 'read' WHERE store_id <> ?", (store_id,))
        transaction.execute("UPDATE token SET scope = 'control' WHERE store_id = ?", (store_id,))
    if take_over or not owner:
        set_owner_store(transaction, store_id)
        owner = store_id
    scope: Scope = "control" if owner == store_id else "read"
    transaction.execute(
        "INSERT INTO token (digest, store_id, scope, name, created_at) VALUES (?, ?, ?, ?, ?)",
        (digest, store_id, scope, name[:200], transaction.now),
    )
    return load_grants(transaction)
