"""Identifiers: post numbers and the short codes of their pages."""

import time

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_SEQUENCE_BITS = 20


def shortcode(pk: int) -> str:
    """The page code of a post number: the number in base 64, most significant digit first.

    Raises:
        ValueError: when ``pk`` is negative.
    """
    if pk < 0:
        raise ValueError(f"A post number can't be negative, this one is {pk}.")
    digits = _ALPHABET[pk & 63]
    while pk := pk >> 6:
        digits += _ALPHABET[pk & 63]
    return digits[::-1]


class PostNumbers:
    """Gives out post numbers that rise with time and never repeat, also after a restart."""

    def __init__(self, last: int = 0) -> None:
        self._last = last

    def next(self, now: float | None = None) -> int:
        """The next number. ``now`` is Unix seconds, by default the clock's."""
        milliseconds = int((time.time() if now is None else now) * 1000)
        self._last = max(self._last + 1, milliseconds << _SEQUENCE_BITS)
        return self._last

    def seen(self, pk: int) -> None:
        """Take note of a number given out in an earlier life."""
        self._last = max(self._last, pk)
