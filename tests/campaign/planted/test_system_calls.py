"""What a trace proves: the intent is written, the journal is synced, the request leaves."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.campaign.planted.system_calls import sent_before_synced

REQUEST = "POST /api/v1/media/configure"
WRITE = (
    r'11 pwrite64(9</a/journal.sqlite-wal>, "\"kind\":\"action_changed\",\"state\":\"sending\"",'
    " 4096, 56) = 4096"
)
SYNC = "11 fdatasync(9</a/journal.sqlite-wal>) = 0"
SEND = f'12 sendto(7<socket:[5]>, "{REQUEST}/ HTTP/1.1\\r\\n", 300, 0, NULL, 0) = 300'
SYNC_BEGINS = "11 fdatasync(9</a/journal.sqlite-wal> <unfinished ...>"
SYNC_ENDS = "11 <... fdatasync resumed>) = 0"
BETWEEN = '12 write(2</dev/null>, "x", 1) = 1'


def holds(*lines: str) -> bool:
    return not list(sent_before_synced(lines, REQUEST))


@pytest.mark.parametrize("lines", list(permutations((WRITE, SYNC, SEND))))
def test_only_a_sync_between_both_counts(lines: tuple[str, ...]) -> None:
    assert holds(*lines) == (lines == (WRITE, SYNC, SEND))


def test_a_sync_counts_once_it_has_ended() -> None:
    assert holds(WRITE, SYNC_BEGINS, BETWEEN, SYNC_ENDS, SEND)
    assert not holds(WRITE, SYNC_BEGINS, SEND, SYNC_ENDS)


def test_a_sync_of_another_file_counts_for_nothing() -> None:
    assert not holds(WRITE, SYNC.replace("journal.sqlite-wal", "blob"), SEND)


@pytest.mark.parametrize(("lines", "what"), [((WRITE, SYNC), "request"), ((SYNC, SEND), "intent")])
def test_a_trace_that_is_not_whole_proves_nothing(lines: tuple[str, ...], what: str) -> None:
    with pytest.raises(AssertionError, match=f"lacks the {what}"):
        holds(*lines)
