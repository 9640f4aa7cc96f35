"""`flotilla agents …`."""

import sys

import click
from pydantic import SecretStr

from common.domain.states import look_of
from desktop_app.client.core_client import CoreClient
from desktop_app.commands.session import Session, pass_session, print_table
from desktop_app.contract.agents import AgentRow, PairAgent
from desktop_app.contract.base import Page


@click.group()
def agents() -> None:
    """Agents: pair and list."""


@agents.command(short_help="Pair by the line of `flotilla-agent pair`; - reads it.")
@click.argument("line")
@pass_session
def pair(session: Session, line: str) -> None:
    """Pair by the LINE that `flotilla-agent pair` prints; `-` reads it from standard input."""
    if line == "-":
        line = sys.stdin.readline()
    else:
        click.echo(
            "The line is visible to other programs of this machine while it is an argument; "
            "give - and paste it instead.",
            err=True,
        )
    command = PairAgent(line=SecretStr(line.strip()))

    async def work(client: CoreClient) -> AgentRow:
        return await client.pair_agent(command)

    row = session.run(work)
    session.show(row, lambda: click.echo(f"Paired {row.name} at {row.host}:{row.port}."))


@agents.command("list")
@pass_session
def list_(session: Session) -> None:
    """List agents."""

    async def work(client: CoreClient) -> Page[AgentRow]:
        return await client.agents()

    page = session.run(work)
    session.show(page.rows, lambda: _print_agents(page.rows))


def _print_agents(rows: list[AgentRow]) -> None:
    print_table(
        ("Name", "Address", "Link", "Release", "Drivers", "Accounts", "Running", "Queued", "Error"),
        (
            (
                row.name,
                f"{row.host}:{row.port}",
                look_of(row.link).label,
                row.app,
                ", ".join(row.drivers),
                row.accounts,
                row.running,
                row.queued,
                row.link_error.message if row.link_error else "",
            )
            for row in rows
        ),
        empty="No agent is paired. Run `flotilla-agent pair` on the worker machine.",
    )
