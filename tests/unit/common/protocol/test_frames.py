import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.protocol.frames import Assembler, Frame, FrameKind, cut, decode_frame


@given(st.binary(max_size=5000), st.integers(1, 900))
def test_bytes_cut_into_frames_come_together_again(data: bytes, chunk: int) -> None:
    assembler = Assembler(limit=5000)
    wholes = [
        assembler.add(decode_frame(frame.encode()))
        for frame in cut(FrameKind.SCREEN, 7, data, chunk)
    ]
    assert wholes[-1] == data
    assert all(whole is None for whole in wholes[:-1])


def test_a_missing_piece_is_noticed() -> None:
    first, _second, third = cut(FrameKind.SCREEN, 1, b"abcdef", 2)
    assembler = Assembler(limit=100)
    assembler.add(first)
    with pytest.raises(ValueError, match="expected 2"):
        assembler.add(third)


def test_a_new_picture_begins_afresh_after_a_broken_one() -> None:
    assembler = Assembler(limit=100)
    assembler.add(Frame(FrameKind.SCREEN, 1, 0, b"old"))
    assert assembler.add(Frame(FrameKind.SCREEN, 1, 0, b"new", close=True)) == b"new"


def test_a_picture_over_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 3"):
        Assembler(limit=3).add(Frame(FrameKind.SCREEN, 1, 0, b"four", close=True))


@pytest.mark.parametrize("data", [b"", b"\1" * 15, b"\xff" * 16, b"\1\0\0\0\0\0\0\1" + b"\xff" * 8])
def test_a_header_that_says_nothing_known_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode_frame(data)
