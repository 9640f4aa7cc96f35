"""Single facts of the journal: the outbox's epoch, this start's boot id, a few numbers."""

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
    is_fresh: bool
    """True where nothing is known from before."""


def begin_life(transaction: Transaction) -> Life:
    """Note this start, and give a fresh journal its epoch."""
    known = _read(transaction, "epoch")
    epoch = known or new_epoch(transaction)
    boot_id = new_id()
    _write(transaction, "boot_id", boot_id)
    return Life(epoch, boot_id, is_fresh=not known)


def new_epoch(transaction: Transaction) -> str:
    """Start a new epoch: a desktop knows events of this one that the journal does not have."""
    epoch = new_id()
    _write(transaction, "epoch", epoch)
    return epoch


def owner_of_earlier_release(transaction: Transaction) -> str:
    """Return the id of the owning store as an earlier release has kept it; empty for none."""
    return _read(transaction, _OWNER)


def read_number(transaction: Transaction, name: str) -> float:
    """Return a number by its name; 0 where there is none."""
    return float(_read(transaction, name) or 0.0)


def numbers_of(transaction: Transaction, prefix: str) -> dict[str, float]:
    """Return all numbers whose names begin with `prefix`, by what follows it."""
    found = transaction.execute(
        "SELECT substr(name, ?), value FROM meta WHERE substr(name, 1, ?) = ?",
        (len(prefix) + 1, len(prefix), prefix),
    )
    return {name: float(value) for name, value in found}


def write_number(transaction: Transaction, name: str, value: float) -> None:
    """Keep a number under its name."""
    _write(transaction, name, repr(value))


def _read(transaction: Transaction, name: str) -> str:
    row = transaction.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def _write(transaction: Transaction, name: str, value: str) -> None:
    transaction.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
