"""What every page is given: built once by the main window."""

from __future__ import annotations

from dataclasses import dataclass

from desktop_app.ui.aio import Tasks
from desktop_app.ui.commands.registry import CommandRegistry
from desktop_app.ui.presenters.context import PresenterContext
from desktop_app.ui.presenters.fleet import Fleet, Loading
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.widgets.empty_state import Empty
from desktop_app.ui.views.widgets.frame_decoder import FrameDecoder


@dataclass(frozen=True, slots=True)
class ViewContext:
    """The look, the tasks, the commands, and what presenters need."""

    theme: Theme
    tasks: Tasks
    commands: CommandRegistry
    presenters: PresenterContext
    decoder: FrameDecoder

    @property
    def fleet(self) -> Fleet:
        """The window's copy of the fleet."""
        return self.presenters.fleet


def waiting_state(fleet: Fleet, is_loaded: bool) -> Empty | None:
    """Return the empty state of a list that is not read yet; None where it is."""
    if is_loaded:
        return None
    if fleet.loading is Loading.OFFLINE:
        problem = fleet.problem
        return Empty(
            "wifi-off",
            "The core does not answer",
            f"{problem.message} {problem.advice}".strip() if problem else "",
            "Try again now",
            fleet.retry,
            "refresh-cw",
        )
    return Empty("loader", "Reading…")
