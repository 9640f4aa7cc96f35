"""`flotilla agents …`."""

import sys

import click
from pydantic import SecretStr

from common.domain.states import look_of
from desktop_app.client.core_client import CoreClient
from desktop_app.commands.session import Session, find_agent, pass_session, print_table
from desktop_app.contract.agents import AgentRow, DrainAgent, ForgetAgent, PairAgent
from desktop_app.contract.base import Changed, Page


@click.group()
def agents() -> None:
    """Agents: pair, list, drain and forget."""


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


@agents.command(short_help="Give an agent nothing new.")
@click.argument("agent")
@click.option("--resume", is_flag=True, help="Let it have work again.")
@pass_session
def drain(session: Session, agent: str, *, resume: bool) -> None:
    """Give an agent nothing new; what it has goes on to its end."""

    async def work(client: CoreClient) -> Changed:
        return await client.drain_agent(
            DrainAgent(id=await find_agent(client, agent), drain=not resume)
        )

    changed = session.run(work)
    text = "gets work again" if resume else "gets nothing new"
    session.show(changed, lambda: click.echo(f"The agent {agent} {text}."))


@agents.command(short_help="Forget a paired agent.")
@click.argument("agent")
@click.option("--force", is_flag=True, help="Accept what is risked where it has items left.")
@pass_session
def forget(session: Session, agent: str, *, force: bool) -> None:
    """Forget a paired agent. Where it has unfinished items, the refusal says what is risked."""

    async def work(client: CoreClient) -> Changed:
        return await client.forget_agent(
            ForgetAgent(id=await find_agent(client, agent), force=force)
        )

    changed = session.run(work)
    session.show(changed, lambda: click.echo(f"The agent {agent} is forgotten."))


@agents.command("list")
@pass_session
def list_(session: Session) -> None:
    """List agents."""

    async def work(client: CoreClient) -> Page[AgentRow]:
        return await client.agents()

    page = session.run(work)
    session.show(page.rows, lambda: _print_agents(page.rows))


def _trouble(row: AgentRow) -> str:
    problem = row.link_error or row.notice
    if problem is not None:
        return problem.message
    if row.is_disk_full:
        return "Its disk is full: it starts nothing."
    return "Draining" if row.is_draining else ""


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
                _trouble(row),
            )
            for row in rows
        ),
        empty="No agent is paired. Run `flotilla-agent pair` on the worker machine.",
    )
