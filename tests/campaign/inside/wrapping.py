"""Puts something around a function of a shipped module, and fails where that function is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]


def wrap(owner: Any, name: str, wrapper: Wrapper) -> None:
    """Replace `owner.name` by what `wrapper` makes of it. Raises AttributeError."""
    setattr(owner, name, wrapper(getattr(owner, name)))
