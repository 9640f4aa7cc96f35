"""`flotilla runs …`."""

import sys
from collections.abc import AsyncIterator
from typing import Literal

import click

from common.domain.states import ActionState, ItemState, RunState, look_of
from common.domain.transitions import ITEM_FINAL
from desktop_app.client.core_client import CoreClient
from desktop_app.client.wishes import asked_of, waits_for
from desktop_app.commands.ledger import print_ledger
from desktop_app.commands.session import EXIT_FAILED, Session, pass_session, print_table
from desktop_app.contract.base import Changed, Page
from desktop_app.contract.changes import Closing, Delta, Watch
from desktop_app.contract.runs import ControlRun, ItemRow, LedgerEntry, RunRow

_ENDED = frozenset({RunState.DONE, RunState.FAILED, RunState.CANCELLED})
_Verb = Literal["pause", "resume", "cancel", "retry"]


@click.group()
def runs() -> None:
    """Runs: list, watch, steer, and their ledger."""


@runs.command("list")
@click.option("--limit", default=50, show_default=True, help="How many to show at most.")
@pass_session
def list_(session: Session, limit: int) -> None:
    """List the newest runs."""

    async def work(client: CoreClient) -> Page[RunRow]:
        return await client.runs(limit=limit)

    page = session.run(work)
    session.show(page.rows, lambda: _print_runs(page.rows))


def _print_runs(rows: list[RunRow]) -> None:
    print_table(
        ("Run", "Name", "State", "Items", "Counts", "Handed over"),
        (
            (
                row.id,
                row.name,
                look_of(row.state).label,
                row.total,
                counts_text(row),
                "yes" if row.handed_over else "no",
            )
            for row in rows
        ),
        empty="Nothing has run yet.",
    )


def counts_text(row: RunRow) -> str:
    """Say how many items are in which state."""
    return " · ".join(
        f"{count} {look_of(state).label.lower()}" for state, count in row.counts.items()
    )


@runs.command(short_help="Show a run until it has ended.")
@click.argument("run_id", metavar="ID")
@pass_session
def watch(session: Session, run_id: str) -> None:
    """Show a run until it has ended; the exit status is 0 when every item ended well."""

    async def work(client: CoreClient) -> bool:
        return await print_watch(session, client, run_id)

    if not session.run(work):
        raise SystemExit(EXIT_FAILED)


async def print_watch(session: Session, client: CoreClient, run_id: str) -> bool:
    """Show a run until it has ended; return whether every item ended well."""
    if session.as_json:
        last = await _watch_as_json(client, run_id)
    elif sys.stdout.isatty():
        last = await _watch_live(client, run_id)
    else:
        last = await _watch_as_lines(client, run_id)
    return last is RunState.DONE


async def _watch_as_json(client: CoreClient, run_id: str) -> RunState | None:
    state = None
    async for row, _items in follow(client, run_id):
        click.echo(row.model_dump_json())
        state = row.state
    return state


async def _watch_as_lines(client: CoreClient, run_id: str) -> RunState | None:
    state, shown = None, ""
    async for row, _items in follow(client, run_id):
        text = f"{look_of(row.state).label}: {counts_text(row)}"
        if text != shown:
            click.echo(text)
        state, shown = row.state, text
    return state


async def _watch_live(client: CoreClient, run_id: str) -> RunState | None:
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    state = None
    with Live(refresh_per_second=10) as live:
        async for row, items in follow(client, run_id):
            table = Table("Account", "What", "State", "Step", "Link or error", box=None)
            table.title = f"{row.name}: {counts_text(row)}"
            for item in _most_interesting(items, live.console.height - 4):
                said = item.error.message if item.error else item.link
                step = step_text(item)
                cells = (item.username, item.title, look_of(item.state).label, step, said)
                table.add_row(*(Text(cell) for cell in cells))
            live.update(table)
            state = row.state
    return state


def _most_interesting(items: dict[str, ItemRow], count: int) -> list[ItemRow]:
    order = {ItemState.RUNNING: 0, ItemState.NEEDS_OPERATOR: 1, ItemState.FAILED: 2}
    ranked = sorted(items.values(), key=lambda item: (order.get(item.state, 3), -item.changed_at))
    return sorted(ranked[: max(count, 1)], key=lambda item: item.position)


def step_text(item: ItemRow) -> str:
    """Say what an item does now, or what was asked of it and does not show yet."""
    if asked := asked_of(item):
        return f"{asked}; {waits_for(item)}"
    if item.action is ActionState.SENDING and item.state not in ITEM_FINAL:
        return f"Point of no return. {item.step}".strip()
    return item.step


async def follow(
    client: CoreClient, run_id: str
) -> AsyncIterator[tuple[RunRow, dict[str, ItemRow]]]:
    """Yield a run and its items whenever they change, until the run has ended."""
    items: dict[str, ItemRow] = {}
    known = 0
    async with client.changes(Watch(runs=[run_id])) as stream:
        async for change in stream:
            if isinstance(change, Closing):
                continue  # the stream finds the next core
            row = None
            if isinstance(change, Delta):
                if change.revision <= known:
                    continue  # it was in what was read already
                row = next((run for run in change.runs if run.id == run_id), None)
                items.update({item.id: item for item in change.items if item.run_id == run_id})
            else:
                row = await client.run(run_id)
                page = await client.run_items(run_id)
                items = {item.id: item for item in page.rows}
                known = page.revision
            if row is not None:
                yield row, items
                if row.state in _ENDED:
                    return


@runs.command(short_help="The items of a run, and what was asked of them.")
@click.argument("run_id", metavar="ID")
@pass_session
def items(session: Session, run_id: str) -> None:
    """List the items of a run: their state, their step, and what was asked and waits."""

    async def work(client: CoreClient) -> list[ItemRow]:
        found: list[ItemRow] = []
        while True:
            page = await client.run_items(run_id, offset=len(found))
            found += page.rows
            if not page.rows or len(found) >= page.total:
                return found

    rows = session.run(work)
    session.show(rows, lambda: _print_items(rows))


def _print_items(rows: list[ItemRow]) -> None:
    print_table(
        ("Item", "Account", "What", "State", "Step", "Link or error"),
        (
            (
                row.id,
                row.username,
                row.title,
                look_of(row.state).label,
                step_text(row),
                row.error.message if row.error else row.link,
            )
            for row in rows
        ),
        empty="The run has no items.",
    )


@runs.command(short_help="Every step of a run's posts.")
@click.argument("run_id", metavar="ID")
@click.option("--item", "item_ids", multiple=True, help="Only this item; may be repeated.")
@pass_session
def ledger(session: Session, run_id: str, item_ids: tuple[str, ...]) -> None:
    """Show every step of the external effects of a run's items, in order."""

    async def work(client: CoreClient) -> list[LedgerEntry]:
        ids = list(item_ids) or [item.id for item in (await client.run_items(run_id)).rows]
        return [entry for id_ in ids for entry in (await client.item_ledger(id_)).entries]

    entries = session.run(work)
    session.show(entries, lambda: print_ledger(entries))


def _steering(verb: _Verb, text: str) -> click.Command:
    @click.argument("run_id", metavar="ID")
    @click.option("--item", "item_ids", multiple=True, help="Only this item; may be repeated.")
    @pass_session
    def command(session: Session, run_id: str, item_ids: tuple[str, ...]) -> None:
        wish = ControlRun(verb=verb, item_ids=list(item_ids) or None)

        async def work(client: CoreClient) -> Changed:
            return await client.control_run(run_id, wish)

        changed = session.run(work)
        session.show(changed, lambda: print_changed(verb, changed))
        if changed.refused:
            raise SystemExit(EXIT_FAILED)

    return click.command(verb, help=text)(command)


def print_changed(verb: str, changed: Changed) -> None:
    """Say how many items a verb took hold of, and why it left the others."""
    later = f", {len(changed.postponed)} of them later" if changed.postponed else ""
    click.echo(f"{verb}: {len(changed.ids)} items{later}")
    for item_id, error in changed.postponed.items():
        click.echo(f"{item_id}: {error.message} {error.advice}".rstrip())
    for item_id, error in changed.refused.items():
        click.echo(f"{item_id}: {error.message} {error.advice}".rstrip(), err=True)


runs.add_command(_steering("pause", "Let no further item start."))
runs.add_command(_steering("resume", "Go on with what was paused."))
runs.add_command(_steering("cancel", "Stop what has had no effect yet."))
runs.add_command(_steering("retry", "Try the failed items again."))
