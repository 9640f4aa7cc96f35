"""What every presenter is given: built once in `app.py`."""

from __future__ import annotations

from dataclasses import dataclass

from desktop_app.ui.aio import Tasks
from desktop_app.ui.models.core_port import Core
from desktop_app.ui.presenters.fleet import Fleet
from desktop_app.ui.presenters.notices import Notices
from desktop_app.ui.presenters.screens import Screens
from desktop_app.ui.presenters.thumbnails import Thumbnails


@dataclass(frozen=True, slots=True)
class PresenterContext:
    """The core, the copy of it, and the ways to speak and to start work."""

    core: Core
    fleet: Fleet
    notices: Notices
    tasks: Tasks
    thumbnails: Thumbnails
    screens: Screens
