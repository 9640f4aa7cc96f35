"""Numbers and times as the window writes them."""

import pytest

from desktop_app.ui.models.formats import (
    bytes_text,
    count_of,
    duration,
    exact_time,
    milliseconds,
    relative_time,
)

NOW = 1_763_900_000.0


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (1, "just now"), (42, "42 s ago"), (61, "1 min ago"), (7200, "2 h ago"), (90000, "1 d ago"),
        (-30, "in 30 s"),
    ],
)  # fmt: skip
def test_a_time_is_said_in_its_largest_unit(ago: float, words: str) -> None:
    assert relative_time(NOW - ago, NOW) == words


def test_what_never_happened_is_a_dash() -> None:
    assert relative_time(None, NOW) == "–"
    assert exact_time(None) == ""
    assert bytes_text(None) == milliseconds(None) == "–"


def test_an_exact_time_has_milliseconds_and_a_zone() -> None:
    assert ".250 " in exact_time(NOW + 0.25)


def test_sizes_and_lengths() -> None:
    assert bytes_text(512) == "512 B"
    assert bytes_text(640 * 1024) == "640 KiB"
    assert bytes_text(3.5 * 1024**3) == "3.5 GiB"
    assert duration(5.6) == "0:06"
    assert duration(3723) == "1:02:03"
    assert milliseconds(0.0187) == "19 ms"


def test_counts_know_their_plural() -> None:
    assert count_of(1, "account") == "1 account"
    assert count_of(5000, "account") == "5,000 accounts"
    assert count_of(2, "proxy", "proxies") == "2 proxies"
