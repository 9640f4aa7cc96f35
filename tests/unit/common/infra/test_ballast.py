"""The ballast takes its room, gives it up, and takes it again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from common.infra.ballast import Ballast

MIB = 1024 * 1024


def test_ballast_takes_room_and_gives_it_up_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 2 * MIB)
    assert not ballast.release()
    assert ballast.make()
    assert (tmp_path / "ballast").stat().st_size == ballast.size == 2 * MIB
    assert ballast.make()
    assert ballast.release()
    assert not ballast.release()
    assert not ballast.is_there


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say how much a file takes")
def test_ballast_really_takes_its_bytes(tmp_path: Path) -> None:
    Ballast(tmp_path / "ballast", 2 * MIB).make()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 2 * MIB


def test_half_a_ballast_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "ballast").write_bytes(b"x" * MIB)
    ballast = Ballast(tmp_path / "ballast", 2 * MIB)
    assert not ballast.is_there
    assert ballast.make()
    assert ballast.is_there
