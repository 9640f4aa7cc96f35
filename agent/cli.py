"""The command line of the agent: `flotilla-agent run | pair | doctor`."""

import asyncio
import sys
from pathlib import Path

import click

from common.errors import FlotillaError
from common.version import VERSION

_DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="The agent's data folder.",
)


@click.group(help="The worker side of Flotilla: runs items on this machine.")
@click.version_option(VERSION, prog_name="flotilla-agent")
def cli() -> None:
    """Gather the commands."""


@cli.command(help="Run the agent until it is stopped.")
@_DATA
@click.option("--host", default=None, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="0 takes any free one.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Written as JSON once the agent listens.",
)
def run(data: Path | None, host: str | None, port: int | None, ready_file: Path | None) -> None:
    """Start, and end with status 0 on a polite signal."""
    from agent.app import run_agent
    from agent.settings import load_settings

    settings = load_settings(data, host=host, port=port)
    asyncio.run(run_agent(settings, ready_file))


@cli.command(help="Print a line to paste into a desktop, once, within 15 minutes.")
@_DATA
@click.option(
    "--take-over",
    is_flag=True,
    help="Make the desktop that pairs the owner; others may only watch from then on.",
)
def pair(data: Path | None, *, take_over: bool) -> None:
    """Open a one-time code at the running agent."""
    from agent.presence import find_running
    from agent.server.pairing import open_code
    from agent.settings import load_settings
    from common.security.pairing import PairingLine

    settings = load_settings(data)
    running = find_running(settings.data)
    code = open_code(settings.data, take_over=take_over)
    print(PairingLine(running.public_host, running.port, running.agent_id, code))


@cli.command(help="Say what is missing on this machine, and how to mend it.")
@_DATA
def doctor(data: Path | None) -> None:
    """Check the machine; status 1 where something does not work."""
    from agent.doctor import examine
    from agent.settings import load_settings

    findings = examine(load_settings(data))
    for finding in findings:
        print(f"{finding.verdict:8} {finding.name}: {finding.text}")
        if finding.advice:
            print(f"{'':8} {finding.advice}")
    if any(finding.verdict == "missing" for finding in findings):
        sys.exit(1)


def main() -> None:
    """Run the command line; an error that the operator can mend is said in two lines."""
    try:
        cli()
    except FlotillaError as error:
        print(error.message, file=sys.stderr)
        if error.advice:
            print(error.advice, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
