"""Numbers the lines of each item's log where they are made, so that a missing one is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.runners.item import ItemRun
from tests.campaign.inside.wrapping import wrap


def install() -> None:
    """Put a number in front of each line; each run of an item counts from one."""
    counts: dict[int, int] = {}

    def logging(shipped: Callable[..., None]) -> Callable[..., None]:
        def log(run: ItemRun, level: Any, text: str) -> None:
            number = counts[id(run)] = counts.get(id(run), 0) + 1
            shipped(run, level, f"[{number}] {text}")

        return log

    def beginning(shipped: Callable[..., None]) -> Callable[..., None]:
        def begin(run: ItemRun, *given: Any) -> None:
            counts[id(run)] = 0  # an address may be used again
            shipped(run, *given)

        return begin

    wrap(ItemRun, "__init__", beginning)
    wrap(ItemRun, "log", logging)
