"""`flotilla accounts …`."""

import click
from pydantic import SecretStr

from common.domain.accounts import Platform
from common.domain.states import ActionState, look_of
from desktop_app.client.core_client import CoreClient
from desktop_app.commands.ledger import print_ledger
from desktop_app.commands.session import (
    EXIT_FAILED,
    Session,
    find_account,
    find_agent,
    pass_session,
    print_table,
    read_text,
)
from desktop_app.contract.accounts import (
    AccountRow,
    ImportAccounts,
    ImportResult,
    MoveAccounts,
    MoveResult,
)
from desktop_app.contract.base import Page
from desktop_app.contract.runs import AccountLedger


@click.group()
def accounts() -> None:
    """Accounts: import, list, move, and their ledger."""


@accounts.command("import")
@click.argument("file")
@click.option(
    "--platform",
    type=click.Choice([platform.value for platform in Platform]),
    default=Platform.INSTAGRAM.value,
    show_default=True,
    help="Where the accounts are; fixed from then on.",
)
@click.option("--platform-url", default="", help="Practice accounts: the platform's address.")
@click.option("--tag", "tags", multiple=True, help="Add a tag to every account.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option(
    "--yes-i-may-manage-these",
    "confirmed",
    is_flag=True,
    help="Confirm that you own these accounts or are allowed to manage them.",
)
@pass_session
def import_(
    session: Session,
    file: str,
    platform: str,
    platform_url: str,
    tags: tuple[str, ...],
    dry_run: bool,
    confirmed: bool,
) -> None:
    """Import accounts from FILE, or from standard input for `-`.

    CSV with a header line, or lines `username:password[:totp seed][:proxy url]`. Nothing is
    imported while a line has a problem.
    """
    command = ImportAccounts(
        text=SecretStr(read_text(file)),
        platform=Platform(platform),
        platform_url=platform_url,
        tags=list(tags),
        dry_run=dry_run,
        confirmed_authority=confirmed,
    )

    async def work(client: CoreClient) -> ImportResult:
        return await client.import_accounts(command)

    result = session.run(work)
    session.show(result, lambda: _print_import(result, dry_run=dry_run))
    if result.problems:
        raise SystemExit(EXIT_FAILED)


def _print_import(result: ImportResult, *, dry_run: bool) -> None:
    for problem in result.problems:
        advice = f" {problem.advice}" if problem.advice else ""
        click.echo(f"line {problem.line}, {problem.field}: {problem.message}{advice}")
    if result.problems:
        click.echo(f"{len(result.problems)} problems; nothing was imported.")
    elif dry_run:
        click.echo(f"{result.accounts} accounts would be imported.")
    else:
        click.echo(f"{result.accounts} accounts imported.")


@accounts.command(short_help="Give accounts to another agent.")
@click.argument("usernames", metavar="USERNAME...", nargs=-1, required=True)
@click.option("--to", "agent", required=True, help="The agent's name or id.")
@click.option(
    "--accept-risk",
    is_flag=True,
    help="Move them although their agent may still publish what it has.",
)
@pass_session
def move(session: Session, usernames: tuple[str, ...], agent: str, *, accept_risk: bool) -> None:
    """Give accounts to another agent.

    At once where their agent has nothing of them; else when it has ended what it has. Where it
    does not answer, the refusal says what is risked.
    """

    async def work(client: CoreClient) -> MoveResult:
        command = MoveAccounts(
            ids=[await find_account(client, name) for name in usernames],
            agent_id=await find_agent(client, agent),
            accept_risk=accept_risk,
        )
        return await client.move_accounts(command)

    result = session.run(work)
    session.show(result, lambda: _print_move(result))
    if result.refused:
        raise SystemExit(EXIT_FAILED)


def _print_move(result: MoveResult) -> None:
    click.echo(f"{len(result.moved)} accounts moved, {len(result.draining)} move later.")
    for error in result.refused.values():
        click.echo(f"{error.message} {error.advice}".rstrip(), err=True)


@accounts.command(short_help="Every step of an account's posts, newest first.")
@click.argument("username")
@click.option(
    "--state",
    type=click.Choice([state.value for state in ActionState]),
    default=None,
    help="Only steps into this state.",
)
@click.option("--offset", default=0, show_default=True, help="Newest steps to leave out.")
@click.option("--limit", default=100, show_default=True, help="How many to show at most.")
@pass_session
def ledger(session: Session, username: str, state: str | None, offset: int, limit: int) -> None:
    """Show every step of an account's external effects, newest first."""

    async def work(client: CoreClient) -> AccountLedger:
        return await client.account_ledger(
            await find_account(client, username),
            state=ActionState(state) if state else None,
            offset=offset,
            limit=limit,
        )

    found = session.run(work)
    session.show(found, lambda: _print_account_ledger(found))


def _print_account_ledger(found: AccountLedger) -> None:
    print_ledger(found.entries)
    click.echo(f"{len(found.entries)} of {found.total} steps")


@accounts.command("list")
@click.option("--search", default="", help="Part of a user name or full name.")
@click.option("--tag", default="", help="Only accounts with this tag.")
@click.option("--sort", default="", help="A column, with - in front to descend.")
@pass_session
def list_(session: Session, search: str, tag: str, sort: str) -> None:
    """List accounts."""

    async def work(client: CoreClient) -> Page[AccountRow]:
        return await client.accounts(search=search, tag=tag, sort=sort)

    page = session.run(work)
    session.show(page.rows, lambda: _print_accounts(page.rows))


def _print_accounts(rows: list[AccountRow]) -> None:
    print_table(
        ("User name", "State", "Tags", "Driver", "Proxy", "Agent", "Posts", "Last error"),
        (
            (
                row.username,
                "Held" if row.hold else look_of(row.sign_in).label,
                ", ".join(row.tags),
                row.driver or "automatic",
                row.proxy,
                row.agent,
                row.posts,
                row.error.message if row.error else "",
            )
            for row in rows
        ),
    )
    click.echo(f"{len(rows)} accounts")
