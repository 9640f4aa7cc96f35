"""The `flotilla` program: without a command it opens the window, with one it acts as a client.

Nothing heavy is imported before it is needed: a command line should answer at once.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from common.errors import (
    CoreUnreachableError,
    FlotillaError,
    InputError,
    LinkError,
    StoreError,
    StoreInUseError,
    VaultError,
    WireError,
)
from common.version import VERSION
from desktop_app.client.launcher import STORE_URL_VARIABLE, CoreOptions
from desktop_app.commands.session import Session, default_data, pass_session
from desktop_app.contract.routes import LOCK_HELD_STATUS

_VAULTS = ("keyring", "passphrase", "key-file")
_NOUNS = {
    "accounts": "Accounts: import, list, move, and their ledger.",
    "agents": "Agents: pair, list, drain and forget.",
    "cards": "Attention cards: list, show and answer what needs you.",
    "media": "The media library: add and list files.",
    "tasks": "Tasks: start a run.",
    "runs": "Runs: list, watch, steer, and their ledger.",
    "work": "Work of accounts or agents: pause, resume and cancel, whatever the run.",
    "doctor": "Say what is missing on this machine, and how to mend it.",
}
_JSON = "--json"
_HELP_LIMIT = 100
"""Longest short help; what is longer than the terminal's line is wrapped."""
_EXIT_OTHER = 1
_EXIT_INPUT = 2
_EXIT_UNREACHABLE = 4
_EXIT_STORE = 5
_EXIT_INTERRUPTED = 130


class _Nouns(click.Group):
    """Loads the module of a noun when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, sorted."""
        return sorted([*super().list_commands(ctx), *_NOUNS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing its module."""
        if cmd_name in _NOUNS:
            module = importlib.import_module(f"desktop_app.commands.{cmd_name}")
            command: click.Command = getattr(module, cmd_name)
            return command
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing their modules."""
        own = {name: it.get_short_help_str(_HELP_LIMIT) for name, it in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted((own | _NOUNS).items()))


def _core_options(command: Any) -> Any:
    """The options that say which store, and how its vault is opened."""
    for option in (
        click.option(
            "--store-url",
            envvar=STORE_URL_VARIABLE,
            help=f"A store on PostgreSQL. With a password in it, better as ${STORE_URL_VARIABLE}.",
        ),
        click.option(
            "--key-file",
            type=click.Path(path_type=Path),
            envvar="FLOTILLA_KEY_FILE",
            help="For --vault key-file.",
        ),
        click.option(
            "--vault",
            type=click.Choice(_VAULTS),
            envvar="FLOTILLA_VAULT",
            help="Where a new vault keeps its key.",
        ),
        click.option(
            "--data",
            type=click.Path(path_type=Path, file_okay=False),
            envvar="FLOTILLA_DATA",
            help="The data folder: store, media, logs.",
        ),
    ):
        command = option(command)
    return command


@click.group(cls=_Nouns, invoke_without_command=True)
@_core_options
@click.option(_JSON, "as_json", is_flag=True, help="Print values as JSON.")
@click.version_option(VERSION, prog_name="flotilla")
@click.pass_context
def cli(
    context: click.Context,
    data: Path | None,
    vault: str | None,
    key_file: Path | None,
    store_url: str | None,
    as_json: bool,
) -> None:
    """Publish to accounts that you own or manage, from your desktop over your own machines.

    Without a command, the window opens.
    """
    core = CoreOptions(
        data=(data or default_data()).absolute(),
        vault=vault or "",
        key_file=key_file,
        store_url=store_url or "",
    )
    context.obj = Session(core, as_json)
    if context.invoked_subcommand is None:
        from desktop_app.ui.app import main as open_window

        raise SystemExit(open_window(core))


@cli.command()
@_core_options
@click.option("--until-idle", is_flag=True, help="End when no client is left and nothing is due.")
@click.option("--detached", is_flag=True, help="Log to the file alone.", hidden=True)
@pass_session
def serve(
    session: Session,
    data: Path | None,
    vault: str | None,
    key_file: Path | None,
    store_url: str | None,
    until_idle: bool,
    detached: bool,
) -> None:
    """Keep the core running without a window."""
    from desktop_app.app import ServeOptions, make_vault_choice
    from desktop_app.app import serve as serve_core

    chosen = vault or session.core.vault
    options = ServeOptions(
        data=(data or session.core.data).absolute(),
        vault=make_vault_choice(chosen, key_file or session.core.key_file) if chosen else None,
        store_url=store_url or session.core.store_url or None,
        until_idle=until_idle,
        detached=detached,
        ask_passphrase=_ask_passphrase,
    )
    serve_core(options)


@cli.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("flotilla-demo"),
    show_default=True,
    help="Where the demo keeps its files; an earlier demo's are cleared.",
)
@click.option("--keep", is_flag=True, help="Leave everything running at the end, until Ctrl+C.")
def demo(folder: Path, *, keep: bool) -> None:
    """Publish the practice library through the whole system, watched, and judge the result."""
    from desktop_app.demo.interrupts import leave_at_once

    leave_at_once()

    from desktop_app.demo.command import DemoOptions, run_demo

    raise SystemExit(run_demo(DemoOptions(folder, keep)))


@cli.command()
@pass_session
def shutdown(session: Session) -> None:
    """End the core of this data folder. Agents go on with what they accepted."""
    import asyncio

    from desktop_app.client import launcher
    from desktop_app.client.core_client import CoreClient

    async def work() -> bool:
        endpoint = await launcher.find(session.core.data)
        if endpoint is None:
            return False
        async with CoreClient.connect(endpoint) as client:
            await client.shutdown()
        return True

    ended = asyncio.run(work())
    click.echo("The core ends." if ended else "No core is running.")


def _ask_passphrase() -> str:
    if not sys.stdin.isatty():
        from desktop_app.store.master_keys import ask_nobody

        return ask_nobody()
    passphrase: str = click.prompt("Passphrase of the vault", hide_input=True)
    return passphrase


def main() -> None:
    """Run the program. An error is its message and what to do, never a traceback."""
    arguments = sys.argv[1:]
    if _JSON in arguments:  # it may stand anywhere, also behind a noun and its verb
        arguments = [_JSON, *(argument for argument in arguments if argument != _JSON)]
    try:
        cli(arguments, prog_name="flotilla", standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        raise SystemExit(problem.exit_code) from None
    except (click.Abort, KeyboardInterrupt):
        raise SystemExit(_EXIT_INTERRUPTED) from None
    except FlotillaError as problem:
        _print_error(problem)
        raise SystemExit(_status_of(problem)) from None


def _print_error(problem: FlotillaError) -> None:
    error: WireError = problem.to_wire()
    if _JSON in sys.argv:
        click.echo(error.model_dump_json(indent=2), err=True)
        return
    click.echo(error.message, err=True)
    if error.advice:
        click.echo(error.advice, err=True)


def _status_of(problem: FlotillaError) -> int:
    if isinstance(problem, StoreInUseError):
        return LOCK_HELD_STATUS
    if isinstance(problem, InputError):
        return _EXIT_INPUT
    if isinstance(problem, LinkError | CoreUnreachableError):
        return _EXIT_UNREACHABLE
    if isinstance(problem, StoreError | VaultError):
        return _EXIT_STORE
    return _EXIT_OTHER


if __name__ == "__main__":
    main()
