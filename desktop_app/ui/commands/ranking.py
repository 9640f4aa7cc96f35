"""How well a typed text fits a title. Pure."""

from __future__ import annotations

_START_OF_WORD = 3
_IN_A_ROW = 2


def rank(typed: str, title: str) -> int | None:
    """Return how well `typed` fits, higher is better; None where its letters are not in order.

    Letters that follow each other or begin a word count more; an exact beginning wins.
    """
    needle = typed.lower().replace(" ", "")
    hay = title.lower()
    if not needle:
        return 0
    score = len(needle) * _START_OF_WORD if hay.startswith(typed.lower()) else 0
    if typed.lower() in hay:
        score += len(needle) * _IN_A_ROW
    place = -1
    for letter in needle:
        found = hay.find(letter, place + 1)
        if found < 0:
            return None
        if found == place + 1:
            score += _IN_A_ROW
        if found == 0 or not hay[found - 1].isalnum():
            score += _START_OF_WORD
        place = found
    return score * 10 - len(hay) // 4
