"""`flotilla media …`."""

from pathlib import Path

import click

from desktop_app.client.core_client import CoreClient
from desktop_app.commands.session import EXIT_FAILED, Session, pass_session, print_table
from desktop_app.contract.base import Page
from desktop_app.contract.media import ImportMedia, MediaImported, MediaRow


@click.group()
def media() -> None:
    """The media library: add and list files."""


@media.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@pass_session
def add(session: Session, paths: tuple[Path, ...]) -> None:
    """Add the files at PATHS. Good files are added even where others are refused."""
    command = ImportMedia(paths=[str(path.absolute()) for path in paths])

    async def work(client: CoreClient) -> MediaImported:
        return await client.import_media(command)

    result = session.run(work)
    session.show(result, lambda: _print_added(result))
    if result.problems:
        raise SystemExit(EXIT_FAILED)


def _print_added(result: MediaImported) -> None:
    for row in result.rows:
        click.echo(f"{row.sha256}  {row.name}")
    for problem in result.problems:
        advice = f" {problem.advice}" if problem.advice else ""
        click.echo(f"{problem.field}: {problem.message}{advice}", err=True)


@media.command("list")
@click.option("--search", default="", help="Part of a name or title.")
@pass_session
def list_(session: Session, search: str) -> None:
    """List the library."""

    async def work(client: CoreClient) -> Page[MediaRow]:
        return await client.media(search=search)

    page = session.run(work)
    session.show(page.rows, lambda: _print_media(page.rows))


def _print_media(rows: list[MediaRow]) -> None:
    print_table(
        ("SHA-256", "Name", "Title", "Kind", "Size", "Pixels", "Seconds", "Used"),
        (
            (
                row.sha256[:12],
                row.name,
                row.title,
                row.kind,
                row.size,
                f"{row.width} × {row.height}",
                f"{row.duration:.1f}" if row.duration else "",
                row.used,
            )
            for row in rows
        ),
        empty="The library is empty. Add files with `flotilla media add`.",
    )
