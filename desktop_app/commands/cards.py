"""`flotilla cards …`."""

from datetime import datetime
from typing import cast, get_args

import click

from common.domain.states import look_of
from desktop_app.client.core_client import CoreClient
from desktop_app.commands.session import Session, pass_session, print_table
from desktop_app.contract.base import Page
from desktop_app.contract.cards import ActOnCard, CardAct, CardRow

_MOST = 10_000


@click.group()
def cards() -> None:
    """Attention cards: list, show and answer what needs you."""


@cards.command("list")
@click.option("--resolved", is_flag=True, help="Those that are settled, instead of the open ones.")
@click.option("--limit", default=200, show_default=True, help="How many to show at most.")
@pass_session
def list_(session: Session, limit: int, *, resolved: bool) -> None:
    """List attention cards."""

    async def work(client: CoreClient) -> Page[CardRow]:
        return await client.cards(resolved=resolved, limit=limit)

    page = session.run(work)
    session.show(page.rows, lambda: _print_cards(page.rows))


def _print_cards(rows: list[CardRow]) -> None:
    print_table(
        ("Card", "Account", "What", "Since", "Waiting for it", "Answer"),
        (
            (
                row.id,
                row.username,
                row.title,
                moment(row.opened_at),
                row.held or "",
                row.resolution or row.answer or "",
            )
            for row in rows
        ),
        empty="Nothing needs you.",
    )


@cards.command()
@click.argument("card_id", metavar="ID")
@pass_session
def show(session: Session, card_id: str) -> None:
    """Show both sides of a card, and what can be done."""
    row = session.run(lambda client: _find(client, card_id))
    session.show(row, lambda: _print_card(row))


async def _find(client: CoreClient, card_id: str) -> CardRow:
    for resolved in (False, True):
        for row in (await client.cards(resolved=resolved, limit=_MOST)).rows:
            if row.id == card_id:
                return row
    raise click.ClickException(f"There is no card {card_id}.")


def _print_card(row: CardRow) -> None:
    click.echo(f"{row.title}\n{row.text}")
    if row.ours is not None:
        sent = moment(row.ours.sent_at) if row.ours.sent_at else "at an unknown time"
        click.echo(f"Sent by {row.agent or 'an agent'} with {row.ours.driver}, {sent}.")
        click.echo(f"  caption: {row.ours.caption}")
        for name, value in row.ours.resume.items():
            click.echo(f"  {name}: {value}")
    if row.theirs is not None:
        click.echo(f"The platform: {row.theirs.note or 'was not asked.'}")
        for post in row.theirs.posts:
            taken = moment(post.taken_at) if post.taken_at else "at an unknown time"
            click.echo(f"  {post.url or post.remote_id}, {taken}: {post.caption or ''}")
    if row.action is not None:
        click.echo(f"State: {look_of(row.action).label}")
    if row.resolution:
        click.echo(f"Settled {moment(row.resolved_at or 0.0)}. {row.resolution}")
    elif row.answer:
        click.echo(f"{row.answered_by} answered {row.answer}; the agent has not taken it yet.")
    if row.acts:
        click.echo(f"You can answer: {', '.join(row.acts)}")


@cards.command()
@click.argument("card_id", metavar="ID")
@click.argument("act", type=click.Choice([*get_args(CardAct)]))
@click.option("--link", default="", help="With it_is_there: the post's address, or its id.")
@pass_session
def act(session: Session, card_id: str, act: str, link: str) -> None:
    """Answer a card.

    it_is_there takes the post at --link for this one. publish_it says that it is not there: it is
    sent once more. look_again asks the platform again. close gives it up without a verdict.
    """
    command = ActOnCard(act=cast("CardAct", act), link=link)

    async def work(client: CoreClient) -> CardRow:
        return await client.act_on_card(card_id, command)

    row = session.run(work)
    session.show(row, lambda: _print_card(row))


def moment(at: float) -> str:
    """Return a moment by the clock of this machine, to show."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
