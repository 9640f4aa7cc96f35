"""Fills the one QSS template with the tokens of a scheme."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import resources
from desktop_app.ui.theme.tokens import Tokens

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{([^}]+)\}\}")


def build_stylesheet(tokens: Tokens, icon_file: Callable[[str, str], Path]) -> str:
    """Return the application's style sheet.

    `icon_file` gives the file of an icon (by name) drawn in a colour (by token).
    """
    template = resources.path("theme", "flotilla.qss.template").read_text("utf-8")

    def value(match: re.Match[str]) -> str:
        kind, _, rest = match[1].partition(":")
        if kind != "icon":
            return tokens.text_of(match[1])
        name, _, colour = rest.partition(":")
        return icon_file(name, colour).as_posix()

    return _PLACEHOLDER.sub(value, _COMMENT.sub("", template))
