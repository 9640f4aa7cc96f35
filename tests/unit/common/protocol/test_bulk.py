import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.protocol.bulk import (
    WINDOW_MAXIMUM,
    WINDOW_MINIMUM,
    OfferBlob,
    decode_bulk,
    window_bytes,
)


def test_an_offer_reads_back() -> None:
    offer = OfferBlob(channel=1, sha256="a" * 64, size=10)
    assert decode_bulk(offer.model_dump_json()) == offer


@pytest.mark.parametrize("sha256", ["../../etc/passwd", "A" * 64, "a" * 63, ""])
def test_a_blob_is_named_by_its_hash_and_by_nothing_else(sha256: str) -> None:
    with pytest.raises(ValueError):
        decode_bulk(f'{{"t":"offer_blob","channel":1,"sha256":"{sha256}","size":1}}')


@given(st.floats(0, 1e12))
def test_the_window_follows_the_rate_within_bounds(rate: float) -> None:
    assert WINDOW_MINIMUM <= window_bytes(rate) <= WINDOW_MAXIMUM
