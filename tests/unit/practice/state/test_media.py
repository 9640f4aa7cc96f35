"""Uploads that arrive in pieces."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from practice.state.media import MediaStore, OffsetError


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def test_an_upload_goes_on_where_it_stood_after_a_restart(tmp_path: Path) -> None:
    first = MediaStore(tmp_path).partial(1, "name")
    assert await first.write(0, pieces(b"ab", b"cd")) == 4
    second = MediaStore(tmp_path).partial(1, "name")
    assert second.received() == 4
    assert await second.write(4, pieces(b"ef")) == 6
    stored = MediaStore(tmp_path).find(second.finish())
    assert stored is not None
    assert stored.read_bytes() == b"abcdef"
    assert second.received() == 0


async def test_a_piece_at_another_place_is_refused_and_says_where_to_go_on(tmp_path: Path) -> None:
    upload = MediaStore(tmp_path).partial(1, "name")
    await upload.write(0, pieces(b"abcd"))
    for offset in (1, 3, 5):
        with pytest.raises(OffsetError) as caught:
            await upload.write(offset, pieces(b"x"))
        assert caught.value.stands_at == 4
    assert upload.received() == 4


async def test_offset_zero_starts_again(tmp_path: Path) -> None:
    upload = MediaStore(tmp_path).partial(1, "name")
    await upload.write(0, pieces(b"abcd"))
    assert await upload.write(0, pieces(b"xy")) == 2


def test_uploads_of_two_accounts_never_meet(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    assert store.partial(1, "same").path != store.partial(2, "same").path
    assert store.partial(1, "../../x").path.parent == store.partial(1, "y").path.parent
