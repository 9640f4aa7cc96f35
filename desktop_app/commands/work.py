"""`flotilla work …`: the unfinished items of accounts or agents, whatever their run."""

from typing import Literal

import click

from desktop_app.client.core_client import CoreClient
from desktop_app.commands.runs import print_changed
from desktop_app.commands.session import (
    EXIT_FAILED,
    Session,
    find_account,
    find_agent,
    pass_session,
)
from desktop_app.contract.base import Changed
from desktop_app.contract.runs import ControlWork


@click.group()
def work() -> None:
    """Work of accounts or agents: pause, resume and cancel, whatever the run."""


def _steering(verb: Literal["pause", "resume", "cancel"], text: str) -> click.Command:
    @click.option("--account", "accounts", multiple=True, help="A user name; may be repeated.")
    @click.option("--agent", "agents", multiple=True, help="An agent's name; may be repeated.")
    @pass_session
    def command(session: Session, accounts: tuple[str, ...], agents: tuple[str, ...]) -> None:
        if not accounts and not agents:
            raise click.UsageError("Name accounts or agents.")

        async def steer(client: CoreClient) -> Changed:
            wish = ControlWork(
                verb=verb,
                account_ids=[await find_account(client, name) for name in accounts],
                agent_ids=[await find_agent(client, name) for name in agents],
            )
            return await client.control_work(wish)

        changed = session.run(steer)
        session.show(changed, lambda: print_changed(verb, changed))
        if changed.refused:
            raise SystemExit(EXIT_FAILED)

    return click.command(verb, help=text)(command)


work.add_command(_steering("pause", "Let no further item start."))
work.add_command(_steering("resume", "Go on with what was paused."))
work.add_command(_steering("cancel", "Stop what has had no effect yet."))
