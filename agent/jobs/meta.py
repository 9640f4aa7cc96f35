"""Single facts of the journal: the outbox's epoch, this start's boot id, the owning store."""

from dataclasses import dataclass

from agent.jobs.journal import Transaction
from common.domain.ids import new_id

_OWNER = "owner_store"


@dataclass(frozen=True, slots=True)
class Life:
    """Which life of the journal this is."""

    epoch: str
    """Names the outbox's history; new where that is gone."""
    boot_id: str
    """Names this start of the agent."""


def begin_life(transaction: Transaction) -> Life:
    """Note this start, and give a fresh journal its epoch."""
    epoch = _read(transaction, "epoch") or new_epoch(transaction)
    boot_id = new_id()
    _write(transaction, "boot_id", boot_id)
    return Life(epoch, boot_id)


def new_epoch(transaction: Transaction) -> str:
    """Start a new epoch: a desktop knows events of this one that the journal does not have."""
    epoch = new_id()
    _write(transaction, "epoch", epoch)
    return epoch


def owner_store(transaction: Transaction) -> str:
    """Return the id of the store that owns this agent; empty before the first pairing."""
    return _read(transaction, _OWNER)


def set_owner_store(transaction: Transaction, store_id: str) -> None:
    """Give the agent to a store."""
    _write(transaction, _OWNER, store_id)


def _read(transaction: Transaction, name: str) -> str:
    row = transaction.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def _write(transaction: Transaction, name: str, value: str) -> None:
    transaction.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
