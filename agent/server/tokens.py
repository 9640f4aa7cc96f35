"""Bearer tokens: who may command or watch. The agent keeps their SHA-256 only.

They lie in a private file of their own, beside the journal: an agent that has lost its journal is
still the one that its desktops have paired with, and they learn of the loss from itself.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from agent.jobs.journal import Transaction
from agent.jobs.meta import owner_of_earlier_release
from common.errors import StoreError
from common.infra.paths import write_private_file
from common.security.pairing import is_same_digest, new_token, token_digest

_LOG = logging.getLogger(__name__)
_FILE = "paired.json"
_NAME_CHARACTERS = 200
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
class Pairings:
    """Every token, and the store that owns the agent."""

    owner: str = ""
    """Empty before the first pairing."""
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh token, given out once."""

    token: str
    grant: Grant


class Tokens:
    """The tokens of one agent, in its folder and in memory."""

    def __init__(self, folder: Path, pairings: Pairings) -> None:
        self._file = folder / _FILE
        self._pairings = pairings
        self._issuing = asyncio.Lock()

    @property
    def has_any(self) -> bool:
        """True once a desktop is paired."""
        return bool(self._pairings.grants)

    def find(self, token: str) -> Grant | None:
        """Return what a token allows; None for an unknown one."""
        digest = token_digest(token)
        found: Grant | None = None
        for grant in self._pairings.grants:
            if is_same_digest(grant.digest, digest):
                found = grant
        return found

    async def issue(self, store_id: str, name: str, *, take_over: bool) -> Issued:
        """Make a token for a store: the first store owns the agent, others may watch.

        `take_over` makes this store the owner, and leaves earlier ones to watch. Returns once it is
        on disk; raises StoreError where it cannot be.
        """
        token = new_token()
        digest = token_digest(token)
        async with self._issuing:
            pairings = with_grant(
                self._pairings, digest, store_id, name[:_NAME_CHARACTERS], take_over=take_over
            )
            await asyncio.to_thread(_write, self._file, pairings)
            self._pairings = pairings
        return Issued(token, pairings.grants[-1])


def with_grant(
    before: Pairings, digest: str, store_id: str, name: str, *, take_over: bool
) -> Pairings:
    """Return the pairings with one more, the last; scopes follow who owns the agent then."""
    owner = store_id if take_over or not before.owner else before.owner
    grants = (*before.grants, Grant(digest, store_id, "read", name))
    return Pairings(owner, tuple(_scoped(grant, owner) for grant in grants))


def load_pairings(folder: Path, earlier: Pairings) -> Pairings:
    """Read the pairings in `folder`; those `earlier` ones are kept there where it has none yet.

    A file that cannot be read is moved aside: the desktops have to pair again.
    """
    file = folder / _FILE
    if not file.exists():
        if earlier.grants:
            _write(file, earlier)
        return earlier
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return Pairings(found["owner"], tuple(Grant(**grant) for grant in found["grants"]))
    except (ValueError, KeyError, TypeError):
        file.replace(file.with_name(f"{file.name}.damaged"))
        _LOG.error("The list of paired desktops was damaged: every desktop must pair again.")
        return Pairings()


def earlier_pairings(transaction: Transaction) -> Pairings:
    """Return the pairings as an earlier release has kept them in the journal."""
    found = transaction.execute("SELECT digest, store_id, scope, name FROM token ORDER BY digest")
    return Pairings(owner_of_earlier_release(transaction), tuple(Grant(*row) for row in found))


def forget_earlier_pairings(transaction: Transaction) -> None:
    """Remove from the journal what lies in a file of its own now."""
    transaction.execute("DELETE FROM token")


def _scoped(grant: Grant, owner: str) -> Grant:
    return replace(grant, scope="control" if grant.store_id == owner else "read")


def _write(file: Path, pairings: Pairings) -> None:
    grants: Sequence[object] = [asdict(grant) for grant in pairings.grants]
    try:
        write_private_file(file, json.dumps({"owner": pairings.owner, "grants": grants}).encode())
    except OSError as problem:
        raise StoreError(
            f"The agent could not keep the pairing: {problem.strerror}.",
            advice="Free disk space on the worker machine.",
        ) from problem
