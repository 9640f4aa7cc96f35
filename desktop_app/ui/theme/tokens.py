"""The theme's tokens: colours of one scheme, and the sizes both share. Read once, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import resources


class Scheme(StrEnum):
    """Which of the two themes is shown."""

    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, slots=True)
class Tokens:
    """All tokens of one scheme."""

    scheme: Scheme
    colours: Mapping[str, str]
    """`#rrggbb` by token name."""
    sizes: Mapping[str, int]
    """Pixels by token name."""
    fonts: Mapping[str, str]
    """Font families by token name."""

    def text_of(self, name: str) -> str:
        """Return a token as the style sheet wants it; raises KeyError for an unknown one."""
        for group in (self.colours, self.fonts):
            if name in group:
                return group[name]
        return str(self.sizes[name])


def load_tokens(scheme: Scheme) -> Tokens:
    """Read the tokens of one scheme from the shipped file."""
    text = resources.path("theme", "tokens.json").read_text("utf-8")
    raw: dict[str, Any] = json.loads(text)
    shared = raw["shared"]
    return Tokens(
        scheme=scheme,
        colours=raw["themes"][scheme.value],
        sizes={name: value for name, value in shared.items() if isinstance(value, int)},
        fonts={name: value for name, value in shared.items() if isinstance(value, str)},
    )
