"""The one registry of commands. A command is said once: its words, its shortcut, its act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


def _always() -> bool:
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One act."""

    id: str
    """Stable: `accounts.import`."""
    title: str
    """As the palette shows it, sentence case, without the section."""
    section: str
    """Where it belongs: a page's name, or `Window`."""
    run: Callable[[], None]
    icon: str = ""
    shortcut: str = ""
    """As Qt reads it: `Ctrl+K`."""
    is_enabled: Callable[[], bool] = _always
    words: str = ""
    """Further words by which it is found."""


class CommandRegistry:
    """All commands of one window."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def add(self, *commands: Command) -> None:
        """Register commands; raises ValueError for an id or a shortcut that is taken."""
        for command in commands:
            taken = {known.shortcut for known in self._commands.values() if known.shortcut}
            if command.id in self._commands or command.shortcut in taken:
                raise ValueError(f"Command {command.id} or its shortcut is registered already.")
            self._commands[command.id] = command

    def get(self, command_id: str) -> Command:
        """Return a command by id; raises KeyError."""
        return self._commands[command_id]

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def ids(self) -> list[str]:
        """Return the ids of all commands."""
        return list(self._commands)

    def enabled(self) -> list[Command]:
        """Return the commands that would do something now."""
        return [command for command in self._commands.values() if command.is_enabled()]
