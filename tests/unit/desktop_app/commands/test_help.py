"""Every command and every option of the command line says what it is."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from desktop_app.cli import cli


def walk(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and everything below it, by the words that a person types."""
    yield " ".join(words), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walk(below, (*words, name))


COMMANDS = dict(walk(cli, ("flotilla",)))


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_and_its_options_say_what_they_are(words: str) -> None:
    command = COMMANDS[words]
    assert command.get_short_help_str()
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert not [each.opts[0] for each in options if not each.help and not each.hidden]


def test_flags_made_from_a_task_name_what_may_be_given_and_what_is_without() -> None:
    options = {each.name: each for each in COMMANDS["flotilla tasks run bulk-upload"].params}
    distribution, caption = options["distribution"], options["caption"]
    assert isinstance(distribution, click.Option)
    assert isinstance(caption, click.Option)
    assert (distribution.help or "").endswith("[default: split]")
    assert "{title}" in (caption.help or "")
