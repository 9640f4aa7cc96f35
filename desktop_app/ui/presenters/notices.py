"""What the window tells the operator in passing, and the one place where errors become words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from common.errors import FlotillaError, WireError

_log = logging.getLogger(__name__)

NoticeKind = Literal["success", "info", "warning", "danger"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing said in passing."""

    kind: NoticeKind
    text: str
    """What happened, to what."""
    advice: str = ""
    act: str = ""
    """Label of the one act it offers: `Undo hold of 12 accounts`."""
    run: Callable[[], None] | None = None


def notice_of(problem: BaseException) -> Notice:
    """Return an error as something to say."""
    if isinstance(problem, FlotillaError):
        return Notice("danger", problem.message, problem.advice)
    return Notice(
        "danger",
        f"The window met an error it did not expect: {type(problem).__name__}.",
        "What you did may not have happened. The log of the window says more.",
    )


def error_words(error: WireError) -> str:
    """Return an error and its advice as one text."""
    return f"{error.message} {error.advice}".strip()


class Notices(QObject):
    """Where presenters say something, and the main window hears it."""

    posted = Signal(object)
    """A `Notice`."""

    def say(self, notice: Notice) -> None:
        """Show a notice."""
        self.posted.emit(notice)

    def report(self, problem: BaseException) -> None:
        """Show an error; one that is not ours is logged with its trace."""
        if not isinstance(problem, FlotillaError):
            _log.error("An unexpected error in the window", exc_info=problem)
        self.posted.emit(notice_of(problem))

    def refused(self, refused: dict[str, WireError], what: str) -> None:
        """Say that a command left some of its objects as they were, and why."""
        if refused:
            first = next(iter(refused.values()))
            more = f" ({len(refused):,} in all)" if len(refused) > 1 else ""
            self.say(Notice("warning", f"{what}: {first.message}{more}", first.advice))
