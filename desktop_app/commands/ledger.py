"""Prints the ledger; part of `flotilla accounts` and `flotilla runs`."""

from collections.abc import Sequence

from common.domain.states import look_of
from desktop_app.commands.cards import moment
from desktop_app.commands.session import print_table
from desktop_app.contract.runs import LedgerEntry


def print_ledger(entries: Sequence[LedgerEntry]) -> None:
    """Print steps as they are given: when, what, where, by which ids, and what settled them."""
    print_table(
        ("When", "What", "Attempt", "Step", "Agent", "Driver", "Ids", "Note"),
        (
            (
                moment(entry.at),
                entry.title,
                entry.attempt,
                look_of(entry.state).label,
                entry.agent or "here",
                entry.driver,
                _ids(entry),
                _note(entry),
            )
            for entry in entries
        ),
        empty="Nothing has been sent yet.",
    )


def _ids(entry: LedgerEntry) -> str:
    ids = [f"{name} {value}" for name, value in entry.resume.items()]
    return ", ".join([*ids, entry.remote_url or entry.remote_id]).strip(", ")


def _note(entry: LedgerEntry) -> str:
    before = f"{len(entry.baseline.post_ids)} posts before" if entry.baseline else ""
    by = f"by {entry.by}" if entry.by else ""
    return "; ".join(part for part in (entry.note, by, before) if part)
