"""A run's log: each line of each item once, also after a crash."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_app.core.run_logs import LogSource, RunLog, RunLogs
from desktop_app.store.folder import StoreFolder

ADA = LogSource("item-ada", 1, "ada")
BOB = LogSource("item-bob", 1, "bob")


def lines(*texts: str) -> str:
    return "".join(
        json.dumps({"at": 1.0, "level": "info", "text": text}, ensure_ascii=False) + "\n"
        for text in texts
    )


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    return StoreFolder(tmp_path).make()


async def test_lines_are_read_back_with_their_account_in_order(folder: StoreFolder) -> None:
    logs = RunLogs(folder)
    log = await logs.log("run")
    log.append(ADA, 0, lines("one", "two"))
    log.append(BOB, 0, lines("uno"))
    page = await logs.read("run", 0, 100_000)
    logs.close()
    assert [(line.username, line.text) for line in page.lines] == [
        ("ada", "one"), ("ada", "two"), ("bob", "uno"),
    ]  # fmt: skip
    assert page.end == page.size == log.size


def test_what_is_there_already_is_not_added_again(folder: StoreFolder) -> None:
    log = RunLog(folder.run_log("run"))
    text = lines("one", "zwei ü", "three\u2028still three")
    assert log.append(ADA, 0, text) == 3
    assert log.append(ADA, 0, text) == 0
    assert log.pulled("item-ada", 1) == len(text.encode())
    log.close()


def test_a_piece_behind_a_gap_is_not_taken(folder: StoreFolder) -> None:
    log = RunLog(folder.run_log("run"))
    assert log.append(ADA, 500, lines("late")) == 0
    log.close()


def test_a_torn_last_line_is_pulled_again(folder: StoreFolder) -> None:
    path = folder.run_log("run")
    log = RunLog(path)
    log.append(ADA, 0, lines("one", "two"))
    log.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])

    log = RunLog(path)
    first = len(lines("one").encode())
    assert log.pulled("item-ada", 1) == first
    assert log.append(ADA, first, lines("two")) == 1
    log.close()
    assert path.read_bytes() == whole


def test_a_new_attempt_has_a_log_of_its_own(folder: StoreFolder) -> None:
    log = RunLog(folder.run_log("run"))
    log.append(ADA, 0, lines("one"))
    assert log.append(LogSource("item-ada", 2, "ada"), 0, lines("again")) == 1
    log.close()


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=12), data=st.data())
def test_whatever_is_cut_and_repeated_each_line_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("log") / "run.jsonl"
    pieces = [lines(text) for text in texts]
    offsets = [len("".join(pieces[:number]).encode()) for number in range(len(pieces) + 1)]
    while True:
        with closing(RunLog(path)) as log:
            done = offsets.index(log.pulled("item-ada", 1))
            if done == len(pieces):
                break
            until = data.draw(st.integers(done + 1, len(pieces)))
            log.append(ADA, offsets[done], "".join(pieces[done:until]))
        if data.draw(st.booleans()):  # a crash that tore the end off
            size = path.stat().st_size
            cut = data.draw(st.integers(0, min(size, 40)))
            path.write_bytes(path.read_bytes()[: size - cut])
    ends = [json.loads(line)["end"] for line in path.read_bytes().splitlines()]
    assert ends == offsets[1:]


async def test_pages_hold_whole_lines_and_go_on_where_the_last_ended(folder: StoreFolder) -> None:
    logs = RunLogs(folder)
    log = await logs.log("run")
    log.append(ADA, 0, lines(*(f"line {number}" for number in range(50))))
    seen: list[str] = []
    offset = 0
    while offset < log.size:
        page = await logs.read("run", offset, 300)
        seen += [line.text for line in page.lines]
        offset = page.end
    logs.close()
    assert seen == [f"line {number}" for number in range(50)]


async def test_a_run_without_a_log_has_an_empty_one(folder: StoreFolder) -> None:
    page = await RunLogs(folder).read("none", 0, 100)
    assert (page.lines, page.size) == ([], 0)


async def test_what_an_agent_writes_cannot_bend_the_log(folder: StoreFolder) -> None:
    logs = RunLogs(folder)
    log = await logs.log("run")
    bad = 'no json\n{"at": "x", "level": 7, "text": "\\u202egnp.exe"}\n[1]\n'
    log.append(ADA, 0, bad)
    page = await logs.read("run", 0, 10_000)
    logs.close()
    assert [line.level for line in page.lines] == ["info"] * 3
    assert page.lines[0].text == "no json"
    assert "\u202e" not in page.lines[1].text
