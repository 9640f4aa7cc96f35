"""What the window remembers between starts: place, theme, and what it has said already."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from common.infra.paths import write_private_file
from desktop_app.ui.theme.theme import ThemeMode

STATE_FILE = "window.json"


class WindowState(BaseModel):
    """State of one operator's window on one machine. Unreadable state is as good as none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    geometry: str = ""
    theme: ThemeMode = ThemeMode.SYSTEM
    told_that_runs_go_on: bool = False
    """The first close while something ran explained that it goes on."""


def read_state(file: Path | None) -> WindowState:
    """Return what was kept, or the defaults."""
    if file is None:
        return WindowState()
    try:
        return WindowState.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return WindowState()


def keep_state(file: Path | None, state: WindowState) -> None:
    """Write what is to be kept; a folder that is gone loses it."""
    if file is not None and file.parent.is_dir():
        write_private_file(file, state.model_dump_json().encode())
