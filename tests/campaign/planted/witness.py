"""What only somebody at the wire or at the disk can see: promises that no later state shows. Pure.

The campaign's judge looks at what is left in the end. These look at the moment itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from common.protocol.messages import Cursor
from tests.campaign.judge import Finding


@dataclass(frozen=True)
class Command:
    """One command to an agent, and what it made of it."""

    fence: int
    is_taken: bool


def acknowledged_too_early(acknowledged: Cursor, stored: Cursor) -> Iterator[Finding]:
    """An acknowledged event is in the store: the agent forgets it."""
    if acknowledged.epoch != stored.epoch or acknowledged.seq > stored.seq:
        yield Finding(
            "I2", f"events up to {acknowledged.seq} are acknowledged; the store has {stored.seq}"
        )


def stale_commands(commands: Sequence[Command]) -> Iterator[Finding]:
    """A command under a lower fence than one before it has no effect."""
    highest = 0
    for command in commands:
        if command.is_taken and command.fence < highest:
            yield Finding("I5", f"a command under {command.fence} was taken after {highest}")
        highest = max(highest, command.fence)


def missing_files(needed: Collection[str], missing: Collection[str]) -> Iterator[Finding]:
    """A file that has arrived stays for as long as an item needs it."""
    for sha256 in sorted(set(needed) & set(missing)):
        yield Finding("I8", f"the file {sha256} of an item that waits is gone")
