"""What an agent asked of the operating system, in order: was its intent on the disk before it sent?

Reads what `strace -f -y` writes. A call of one thread may begin and end on different lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.campaign.judge import Finding

CALLS = "write,pwrite64,writev,fsync,fdatasync,sendto,sendmsg"
"""Those that put something on the disk, or on the wire."""
TEXT_BYTES = 4200
"""How much of what is written has to be in a trace: one page of the journal."""
_LOG = "journal.sqlite-wal"
_INTENT = r"\"sending\""
"""As a trace shows it: within quotes."""
_BEGUN = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)$")
_ENDED = re.compile(r"^(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>")
_SYNCS = ("fsync", "fdatasync")


@dataclass(frozen=True)
class _Call:
    name: str
    text: str
    begun: int
    """Number of the line."""
    ended: int


def read_calls(lines: Iterable[str]) -> Iterator[_Call]:
    """Yield calls as they end."""
    open_calls: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(lines):
        if begun := _BEGUN.match(line):
            thread, name, rest = begun["thread"], begun["name"], begun["rest"]
            if rest.endswith("<unfinished ...>"):
                open_calls[thread] = (name, rest, number)
            else:
                yield _Call(name, rest, number, number)
        elif (ended := _ENDED.match(line)) and ended["thread"] in open_calls:
            name, rest, at = open_calls.pop(ended["thread"])
            yield _Call(name, rest, at, number)


def sent_before_synced(lines: Iterable[str], request: str) -> Iterator[Finding]:
    """Between the write of an intent and the first byte of its request, the journal is synced.

    `request` is how the request begins. Raises AssertionError where a trace lacks either.
    """
    calls = sorted(read_calls(lines), key=lambda call: call.begun)
    written = next((c for c in calls if _LOG in c.text and _INTENT in c.text), None)
    sent = next((c for c in calls if f'"{request}' in c.text), None)
    assert written, "the trace lacks the intent"
    assert sent, "the trace lacks the request"
    syncs = [c for c in calls if c.name in _SYNCS and _LOG in c.text]
    if not any(written.ended < sync.begun and sync.ended < sent.begun for sync in syncs):
        yield Finding("I1", "a post was sent before its intent was on the disk")
