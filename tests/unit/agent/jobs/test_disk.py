"""How much room is enough, on disks of any size, and what is told when that changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.jobs.disk import DiskWatch, Room, needs_of, room_for
from common.infra.ballast import Ballast

MIB = 1024 * 1024
GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("total", "free", "missing", "room"),
    [
        (100 * GIB, 10 * GIB, 0, Room.ENOUGH),
        (100 * GIB, 200 * MIB, 0, Room.LITTLE),
        (100 * GIB, 100 * MIB, 0, Room.NONE),
        # What the ballast has given up is not room: it is taken again.
        (100 * GIB, 150 * MIB, 64 * MIB, Room.NONE),
        (100 * GIB, 320 * MIB, 64 * MIB, Room.ENOUGH),
        # A small disk is judged by its size.
        (16 * MIB, 8 * MIB, 0, Room.ENOUGH),
        (16 * MIB, 1 * MIB + 1, 0, Room.LITTLE),
        (16 * MIB, 1 * MIB - 1, 0, Room.NONE),
    ],
)
def test_room_by_size_and_ballast(total: int, free: int, missing: int, room: Room) -> None:
    assert room_for(free, missing, needs_of(total)) is room


def test_a_disk_with_room_gets_its_ballast_back_and_nothing_is_said(tmp_path: Path) -> None:
    told: list[Room] = []
    ballast = Ballast(tmp_path / "ballast", MIB)
    watch = DiskWatch(tmp_path, ballast, told.append)
    watch.look()
    assert ballast.is_there
    ballast.release()
    watch.look()
    assert ballast.is_there
    assert told == []
    assert not watch.is_full
