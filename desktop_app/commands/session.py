"""What every command shares: the options of the whole program, a client, output and input."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import BaseModel

from common.errors import InputError
from common.infra.paths import data_folder
from desktop_app.client import launcher
from desktop_app.client.core_client import CoreClient
from desktop_app.client.launcher import CoreOptions

T = TypeVar("T")

EXIT_FAILED = 1
"""What was asked for was not done, or not wholly."""


@dataclass(frozen=True, slots=True)
class Session:
    """The options of the whole program."""

    core: CoreOptions
    as_json: bool = False

    def run(self, work: Callable[[CoreClient], Awaitable[T]]) -> T:
        """Do something as a client of the core, which is started where none runs."""

        async def connected() -> T:
            async with await launcher.connect(self.core) as client:
                return await work(client)

        return asyncio.run(connected())

    def show(self, value: BaseModel | Sequence[BaseModel], lines: Callable[[], None]) -> None:
        """Print a value as JSON where that is wanted, else by `lines`."""
        if not self.as_json:
            lines()
        elif isinstance(value, BaseModel):
            click.echo(value.model_dump_json(indent=2))
        else:
            click.echo(json.dumps([each.model_dump(mode="json") for each in value], indent=2))


pass_session = click.make_pass_decorator(Session)


def default_data() -> Path:
    """Return the data folder that is used where none is named."""
    return data_folder("flotilla")


def read_text(name: str) -> str:
    """Read a file, or standard input for `-`; raises InputError that names it."""
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"{name} cannot be read: {why}.", subject=name) from None


async def find_account(client: CoreClient, username: str) -> str:
    """Return the id of an account by its user name; raises InputError that names it."""
    name = username.removeprefix("@").lower()
    page = await client.accounts(search=name)
    for row in page.rows:
        if row.username == name:
            return row.id
    raise InputError(f"There is no account @{name}.", subject=name)


async def find_agent(client: CoreClient, name: str) -> str:
    """Return the id of an agent by its name or id; raises InputError where it is not one."""
    found = [row.id for row in (await client.agents()).rows if name in {row.name, row.id}]
    if len(found) == 1:
        return found[0]
    how_many = "Several agents are" if found else "No paired agent is"
    advice = "Give the agent's id." if found else "See `flotilla agents list`."
    raise InputError(f"{how_many} called {name}.", subject=name, advice=advice)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str = "") -> None:
    """Print rows under headings, or `empty`; plain where the output is no terminal."""
    from rich.console import Console  # slow to import, and only commands that print tables need it
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    if not table.rows:
        if empty:
            click.echo(empty)
        return
    width = None if sys.stdout.isatty() else 200
    Console(width=width).print(table)
