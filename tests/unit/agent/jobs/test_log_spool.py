"""Logs by byte offset: whole lines, in order, none twice, limits said aloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.jobs import log_spool
from agent.jobs.log_spool import LogSpool
from common.domain.ids import new_id
from common.errors import InputError

ITEM = new_id()


def texts(pieces: str) -> list[str]:
    return [json.loads(line)["text"] for line in pieces.splitlines()]


def read_all(spool: LogSpool, limit: int) -> str:
    whole, offset = "", 0
    while True:
        piece = spool.read(ITEM, 1, offset, limit)
        whole += piece.text
        offset += len(piece.text.encode())
        if offset == piece.end:
            return whole


@given(
    lines=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]))),
    limit=st.integers(1, 400),
)
def test_pieces_of_any_size_make_the_whole(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], limit: int
) -> None:
    spool = LogSpool(tmp_path_factory.mktemp("logs"))
    for number, line in enumerate(lines):
        end = spool.append(ITEM, 1, float(number), "info", line)
        assert end == spool.end(ITEM, 1)
    assert texts(read_all(spool, limit)) == lines


def test_half_a_line_of_a_killed_process_is_cut(tmp_path: Path) -> None:
    spool = LogSpool(tmp_path)
    spool.append(ITEM, 1, 1.0, "info", "whole")
    spool.close(ITEM, 1, 2.0)
    (file,) = tmp_path.rglob("*.jsonl")
    with file.open("ab") as torn:
        torn.write(b'{"at": 3, "te')
    after = LogSpool(tmp_path)
    after.append(ITEM, 1, 4.0, "info", "next")
    assert texts(read_all(after, 1000)) == ["whole", "next"]


def test_lines_over_the_limit_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_spool, "ATTEMPT_LIMIT", 300)
    spool = LogSpool(tmp_path)
    for _ in range(20):
        spool.append(ITEM, 1, 1.0, "info", "x" * 80)
    spool.close(ITEM, 1, 2.0)
    kept = texts(read_all(spool, 1000))
    assert kept[-1] == f"{20 - (len(kept) - 1)} lines were left out: the log is over its limit."


def test_attempts_have_logs_of_their_own(tmp_path: Path) -> None:
    spool = LogSpool(tmp_path)
    spool.append(ITEM, 1, 1.0, "info", "first")
    spool.append(ITEM, 2, 1.0, "info", "second")
    spool.flush()
    assert not spool.is_dirty
    assert texts(spool.read(ITEM, 2, 0, 1000).text) == ["second"]
    assert spool.read(new_id(), 1, 0, 1000).end == 0


def test_foreign_ids_and_offsets_are_refused(tmp_path: Path) -> None:
    spool = LogSpool(tmp_path)
    with pytest.raises(InputError):
        spool.read("../../etc/passwd", 1, 0, 10)
    with pytest.raises(InputError, match="0 bytes"):
        spool.read(ITEM, 1, 5, 10)
