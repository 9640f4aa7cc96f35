"""Logs by byte offset: whole lines, in order, none twice, limits said aloud."""

from __future__ import annotations

import json
import os
import time
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


def test_a_log_over_its_limit_keeps_both_ends_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_spool, "ATTEMPT_LIMIT", 300)
    monkeypatch.setattr(log_spool, "TAIL_LINES", 3)
    spool = LogSpool(tmp_path)
    for number in range(20):
        spool.append(ITEM, 1, 1.0, "info", f"{number:080d}")
    end = spool.close(ITEM, 1, 2.0)
    lines = [json.loads(line) for line in read_all(spool, 1000).splitlines()]
    numbers = [int(line["text"]) for line in lines if "gap" not in line]
    gaps = [line for line in lines if "gap" in line]
    assert numbers == [*range(len(numbers) - 3), 17, 18, 19]
    assert [gap["lines"] for gap in gaps] == [0, 20 - len(numbers)]
    assert gaps[1]["level"] == "warning"
    assert gaps[1]["gap"] > 80 * gaps[1]["lines"]
    assert "over its limit" in gaps[1]["text"]
    assert spool.end(ITEM, 1) == end


def test_lines_without_room_are_counted_where_they_are_missing(tmp_path: Path) -> None:
    spool = LogSpool(tmp_path)
    spool.append(ITEM, 1, 1.0, "info", "before")
    spool.allow(False)
    for _ in range(3):
        spool.append(ITEM, 1, 1.0, "info", "lost")
    spool.allow(True)
    spool.append(ITEM, 1, 1.0, "info", "after")
    spool.close(ITEM, 1, 2.0)
    before, gap, after = (json.loads(line) for line in read_all(spool, 1000).splitlines())
    assert (before["text"], gap["lines"], after["text"]) == ("before", 3, "after")
    assert "no room" in gap["text"]


def test_a_note_about_lost_lines_that_is_lost_itself_stands_for_them(tmp_path: Path) -> None:
    spool = LogSpool(tmp_path)
    spool.append(ITEM, 1, 1.0, "info", "first")
    in_the_way = tmp_path / ITEM[-1] / f"{ITEM}.1.jsonl"
    in_the_way.mkdir(parents=True)
    for _ in range(3):
        spool.flush()
        spool.append(ITEM, 1, 1.0, "info", "lost")
    spool.flush()
    in_the_way.rmdir()
    spool.append(ITEM, 1, 1.0, "info", "after")
    spool.close(ITEM, 1, 2.0)
    gap, after = (json.loads(line) for line in read_all(spool, 1000).splitlines())
    assert (gap["lines"], after["text"]) == (4, "after")


def test_logs_of_ended_items_go_oldest_first_over_the_quota(tmp_path: Path) -> None:
    spool = LogSpool(tmp_path, quota=2_500)
    ids = [new_id() for _ in range(5)]
    for age, item_id in enumerate(reversed(ids)):
        spool.append(item_id, 1, 1.0, "info", "x" * 950)
        spool.close(item_id, 1, 2.0)
        (file,) = tmp_path.rglob(f"{item_id}.1.jsonl")
        os.utime(file, (time.time() - age, time.time() - age))
    unfinished = {ids[0]}
    assert spool.prune(unfinished) == 3 * spool.end(ids[0], 1)
    left = {file.name.split(".")[0] for file in tmp_path.rglob("*.jsonl")}
    assert left == {ids[0], ids[4]}


def test_logs_of_ended_items_go_after_their_time(tmp_path: Path) -> None:
    spool = LogSpool(tmp_path, days=1.0)
    old, new = new_id(), new_id()
    for item_id in (old, new):
        spool.append(item_id, 1, 1.0, "info", "x")
        spool.close(item_id, 1, 2.0)
    (file,) = tmp_path.rglob(f"{old}.1.jsonl")
    os.utime(file, (1.0, 1.0))
    spool.prune(set())
    assert (spool.end(old, 1), spool.end(new, 1) > 0) == (0, True)


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
