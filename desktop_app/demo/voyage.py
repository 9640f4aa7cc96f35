"""The voyage itself: pair, import, load media, sign in, publish, judge.

Everything goes through the core's local API as any client's commands do. What is to be seen of it
is told to a `Narrator`; whether that is a terminal or nothing at all makes no difference here.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from common.domain.accounts import Platform
from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from common.errors import FlotillaError
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.accounts import ImportAccounts
from desktop_app.contract.agents import PairAgent
from desktop_app.contract.changes import Delta, Watch
from desktop_app.contract.media import ImportMedia
from desktop_app.contract.runs import ItemRow, RunStarted, RunTask, Targets
from desktop_app.demo.cast import Cast
from desktop_app.demo.platform import PracticeAdmin
from desktop_app.demo.verdict import Expected, Verdict, judge

_RUN_SECONDS = 300.0
_SETTLED = ITEM_FINAL | {ItemState.NEEDS_OPERATOR, ItemState.MISSED}
CAPTION = "{title}. {full_name}, where the {tag} begins.\n\nSeen by {username}"
HASHTAGS = ["harbourandpine", "practice"]


class Narrator(Protocol):
    """Whoever tells the spectator what is going on."""

    def step(self, text: str) -> None:
        """A step begins."""

    async def run_began(self, task: str, run_id: str) -> None:
        """A run was started."""

    async def items(self, title: str, rows: Sequence[ItemRow]) -> None:
        """The items of the current run as they stand."""


@dataclass(frozen=True, slots=True)
class LibraryPost:
    """One post of the bundled media library."""

    title: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the voyage."""

    verdict: Verdict
    job_seconds: float
    """From the start of the bulk login to the end of the bulk upload."""
    failures: tuple[ItemRow, ...]
    """Items that did not end well."""
    last_run: str
    """Id of the upload run."""


def read_library(folder: Path) -> list[LibraryPost]:
    """Return the bundled posts: photos, reels and carousels in turn while there are any."""
    by_kind: dict[str, list[LibraryPost]] = defaultdict(list)
    for item in json.loads((folder / "library.json").read_text("utf-8"))["items"]:
        files = tuple(folder / file for file in item["files"])
        by_kind[item["kind"]].append(LibraryPost(item["title"], files))
    in_turn = chain.from_iterable(zip_longest(*by_kind.values()))
    return [post for post in in_turn if post is not None]


async def sail(
    client: CoreClient,
    admin: PracticeAdmin,
    cast: Cast,
    pairing_line: str,
    library: Sequence[LibraryPost],
    narrator: Narrator,
) -> Outcome:
    """Make the whole voyage and return the ledger's verdict."""
    narrator.step("Pairing with the agent")
    await client.pair_agent(PairAgent(line=SecretStr(pairing_line)))
    narrator.step("Importing the practice accounts")
    await _import_accounts(client, admin, cast)
    narrator.step("Loading the media library")
    posts = await _import_library(client, library)

    started = time.monotonic()
    narrator.step("Signing in")
    sign_in = await _run(client, "bulk_login", {}, cast, narrator)
    narrator.step("Publishing")
    upload = await _run(
        client,
        "bulk_upload",
        {"posts": posts, "distribution": "split", "caption": CAPTION, "hashtags": HASHTAGS},
        cast,
        narrator,
    )
    seconds = time.monotonic() - started

    narrator.step("Asking the practice platform's ledger")
    verdict = judge(len(cast.members), upload.expected, await admin.published())
    failures = tuple(
        row for row in (*sign_in.rows, *upload.rows) if row.state is not ItemState.DONE
    )
    return Outcome(verdict, seconds, failures, upload.run_id)


@dataclass(frozen=True, slots=True)
class _Ended:
    run_id: str
    rows: tuple[ItemRow, ...]
    expected: tuple[Expected, ...]


async def _import_accounts(client: CoreClient, admin: PracticeAdmin, cast: Cast) -> None:
    result = await client.import_accounts(
        ImportAccounts(
            text=SecretStr(cast.import_text(admin.proxy_url)),
            platform=Platform.PRACTICE,
            platform_url=admin.url,
            confirmed_authority=True,
        )
    )
    if result.problems:
        first = result.problems[0]
        raise FlotillaError(f"Line {first.line}: {first.message}", advice=first.advice)


async def _import_library(
    client: CoreClient, library: Sequence[LibraryPost]
) -> list[dict[str, object]]:
    titles = {str(file): post.title for post in library for file in post.files}
    imported = await client.import_media(ImportMedia(paths=list(titles), titles=titles))
    if imported.problems:
        first = imported.problems[0]
        raise FlotillaError(f"{first.field}: {first.message}", advice=first.advice)
    by_path = dict(zip(titles, (row.sha256 for row in imported.rows), strict=True))
    return [
        {"media": [by_path[str(file)] for file in post.files], "title": post.title}
        for post in library
    ]


async def _run(
    client: CoreClient,
    task: str,
    parameters: dict[str, object],
    cast: Cast,
    narrator: Narrator,
) -> _Ended:
    targets = Targets(usernames=[member.username for member in cast.members])
    started = await client.run_task(
        RunTask.model_validate({"task": task, "parameters": parameters, "targets": targets})
    )
    if started.run_id is None:
        raise FlotillaError(_why_not(started), subject=task)
    await narrator.run_began(task, started.run_id)
    rows = await _watch(client, started.run_id, narrator)
    expected = tuple(
        Expected(item.username, item.caption)
        for item in started.preflight.items
        if item.post_kind is not None
    )
    return _Ended(started.run_id, rows, expected)


def _why_not(started: RunStarted) -> str:
    problems = [f"{p.username} {p.message}".strip() for p in started.preflight.problems]
    return "The run did not start: " + "; ".join(problems or ["it has no items"])


async def _watch(client: CoreClient, run_id: str, narrator: Narrator) -> tuple[ItemRow, ...]:
    """Follow a run until each of its items has ended or needs a person."""
    title = (await client.run(run_id)).name
    rows = await _read_items(client, run_id)
    try:
        async with asyncio.timeout(_RUN_SECONDS), client.changes(Watch(runs=[run_id])) as changes:
            async for change in changes:
                if isinstance(change, Delta):
                    rows |= {row.id: row for row in change.items if row.run_id == run_id}
                else:
                    rows = await _read_items(client, run_id)
                await narrator.items(title, list(rows.values()))
                if all(row.state in _SETTLED for row in rows.values()):
                    break
    except TimeoutError:
        raise FlotillaError(
            f"{title} did not end within {_RUN_SECONDS:.0f} s.",
            subject=title,
            advice="Start again with --keep, and look at the run's log in the window.",
        ) from None
    return tuple(rows.values())


async def _read_items(client: CoreClient, run_id: str) -> dict[str, ItemRow]:
    return {row.id: row for row in (await client.run_items(run_id)).rows}
