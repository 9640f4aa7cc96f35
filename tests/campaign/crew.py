"""The operator of a campaign: orders posts, and attends to what needs a person, until all is done.

Uses the core's client alone, as a script of an operator would. Whatever breaks meanwhile is met by
asking again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
from PIL import Image
from pydantic import SecretStr

from common.domain.accounts import DriverName, Platform
from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from common.errors import ConflictError, CoreUnreachableError, StoreError, TokenRefusedError
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.accounts import EditAccounts, ImportAccounts, ImportResult
from desktop_app.contract.agents import AgentRow, PairAgent
from desktop_app.contract.base import Page
from desktop_app.contract.cards import ActOnCard, CardAct, CardRow
from desktop_app.contract.media import ImportMedia
from desktop_app.contract.routes import Endpoint
from desktop_app.contract.runs import ControlRun, ItemRow, RunTask, Targets
from tests.campaign.ledger import Ledger
from tests.campaign.stage import LINES, Stage

T = TypeVar("T")

_POLL_SECONDS = 0.5
_ASK_SECONDS = 90.0
_AHEAD = 600
"""Items that may wait or run at a time; the next run is started below that."""
_AHEAD_OF_FAULTS = 0.08
"""How far orders may be ahead of the faults, as a share of all."""
_ACCOUNTS_PER_RUN = 20
_TRIES = 25
"""How often one item may fail before its operator gives it up."""
_QUIET_SECONDS = 45.0
"""Nothing moves for so long after the last fault: then nothing will."""
_LOOK_AT_CARD_SECONDS = 3.0
"""How long a person takes to look at a card, and then at the platform."""
_PAGE = 5000


@dataclass(frozen=True)
class Order:
    """One post that the operator wants on one account, once."""

    username: str
    title: str
    """In its caption, and so at the platform: no other post of the account has it."""


@dataclass(frozen=True)
class Batch:
    """One post for some accounts: what one run publishes."""

    name: str
    usernames: list[str]
    sha256: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What the operator said to one card."""

    username: str
    title: str
    act: CardAct
    at: float
    """Seconds since 1970."""


@dataclass
class Attendance:
    """What the operator had to do."""

    retried: Counter[str] = field(default_factory=Counter)
    """Failed items tried again, by the error's code."""
    said: dict[str, str] = field(default_factory=dict)
    """What such an error said, by its code."""
    signed_in_again: int = 0
    answers: list[Answered] = field(default_factory=list)
    """Doubts that a person had to settle, and how."""
    given_up: list[str] = field(default_factory=list)
    """Items that failed again and again, with the last reason."""
    core_was_away: int = 0


class Operator:
    """A person at the desktop, who never tires."""

    def __init__(self, stage: Stage, passwords: dict[str, str], ledger: Ledger) -> None:
        self.attendance = Attendance()
        self.orders: list[Order] = []
        self.plan = stage.plan
        self._stage = stage
        self._ledger = ledger
        self._passwords = passwords
        """By user name."""
        self._open: dict[str, list[ItemRow]] = {}
        self._failures: Counter[str] = Counter()
        self._client: CoreClient | None = None
        self._endpoint: Endpoint | None = None
        self._last_move = time.monotonic()
        self._cards: dict[str, float] = {}
        """When each card was first seen, by the monotonic clock."""
        self._sign_ins = 0
        self._ids: dict[str, str] = {}
        """Account ids by user name."""
        self._pages: dict[str, str] = {}
        """The platform's address as each account reaches it, by user name."""

    async def aclose(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.aclose()

    async def prepare(self) -> list[str]:
        """Pair the agents, bring accounts and media in and sign in; returns the media's SHA-256s.

        Nothing goes wrong yet.
        """
        await self.pair()
        await self.enrol()
        return await self.bring_in_media(-(-self.plan.publishes // self.plan.accounts))

    async def pair(self) -> None:
        """Pair every agent over its own line."""
        stage = self._stage
        for agent, link in zip(stage.agents, stage.links, strict=True):
            line = await asyncio.to_thread(agent.process.pair_line)
            line = line.replace(f":{agent.process.port}/", f":{link.port}/")
            await self.ask(partial(_pair, line=line))

    async def enrol(self) -> None:
        """Make the accounts at the platform, import them and sign them in."""
        await asyncio.to_thread(self._stage.platform.process.seed, self._seeds())
        await self._bring_in_accounts()
        await self._sign_in(list(self._passwords), patient=True)

    async def work(self, sha256s: Sequence[str], broken: Callable[[], float]) -> None:
        """Order every post and attend until each is settled.

        `broken` says how many of the faults have begun, 0 to 1: orders do not run ahead of them.
        """
        batches = self._batches(sha256s)
        ordered = 0
        while True:
            self._stage.check()
            if ordered < len(batches) and self._may_order(ordered, len(batches), broken()):
                await self._start(batches[ordered])
                ordered += 1
            await self._attend()
            await self._answer_cards()
            if ordered == len(batches) and not self._open:
                return
            if broken() >= 1 and time.monotonic() - self._last_move > _QUIET_SECONDS:
                return
            await asyncio.sleep(_POLL_SECONDS)

    def _may_order(self, ordered: int, batches: int, broken: float) -> bool:
        """Say whether the next batch may come; the last one shows that all ends well."""
        wanted = 1.0 if ordered == batches - 1 else ordered / batches - _AHEAD_OF_FAULTS
        return self._unsettled() < _AHEAD and broken >= wanted

    # --- Before anything goes wrong -------------------------------------------------------------

    def _seeds(self) -> list[dict[str, str]]:
        return [{"username": name, "password": word} for name, word in self._passwords.items()]

    async def _bring_in_accounts(self) -> None:
        """Import accounts, each over one of the lines to the platform."""
        names = list(self._passwords)
        for number, line in enumerate(self._stage.lines):
            some, address = names[number::LINES], f"http://127.0.0.1:{line.port}"
            text = "\n".join(f"{name}:{self._passwords[name]}" for name in some)
            command = ImportAccounts(
                text=SecretStr(text),
                platform=Platform.PRACTICE,
                platform_url=address,
                confirmed_authority=True,
            )
            if not some:
                continue
            result = await self.ask(partial(_import, command=command))
            assert result.applied, result.problems
            self._ids |= dict(zip(some, result.ids, strict=True))
            self._pages |= dict.fromkeys(some, address)
        plan = self._stage.plan
        browsers = [self._ids[name] for number, name in enumerate(names) if plan.is_browser(number)]
        if browsers:
            edit = EditAccounts(ids=browsers, driver=DriverName.BROWSER)
            await self.ask(lambda client: client.edit_accounts(edit))

    async def bring_in_media(self, count: int) -> list[str]:
        """Add so many small photos to the library; returns their SHA-256s."""
        folder = self._stage.room / "photos"
        paths = await asyncio.to_thread(_make_photos, folder, count, self.plan.seed)
        command = ImportMedia(paths=[str(path) for path in paths])
        rows = (await self.ask(lambda client: client.import_media(command))).rows
        by_name = {row.name: row.sha256 for row in rows}
        return [by_name[path.name] for path in paths]

    # --- Ordering -------------------------------------------------------------------------------

    def _batches(self, sha256s: Sequence[str]) -> list[Batch]:
        """Divide the work into runs: each post goes to some of the accounts at a time.

        The doubtful posts come among the others, one by one.
        """
        names = [name for name in self._passwords if name not in self.plan.doubtful]
        parts = -(-len(names) // _ACCOUNTS_PER_RUN)
        batches = [
            Batch(
                name=f"Post {post:04d}, part {part} of seed {self.plan.seed}",
                usernames=names[part::parts],
                sha256=sha256,
                title=f"post {post:04d}",
            )
            for post, sha256 in enumerate(sha256s)
            for part in range(parts)
        ]
        apart = max(1, len(batches) // (len(self.plan.doubtful) + 1))
        for number, name in enumerate(self.plan.doubtful, start=1):
            doubt = Batch(f"Doubt {number} of seed {self.plan.seed}", [name], sha256s[0], "a doubt")
            batches.insert(number * (apart + 1) - 1, doubt)
        return batches

    async def _start(self, batch: Batch) -> None:
        """Start a run over its accounts, once, whatever becomes of the core meanwhile."""
        command = RunTask(
            name=batch.name,
            task="bulk_upload",
            parameters={
                "posts": [{"media": [batch.sha256], "title": batch.title}],
                "distribution": "same_to_all",
                "caption": "{title}",
            },
            targets=Targets(usernames=batch.usernames),
        )

        self._open[await self._run(command)] = []
        self.orders += [Order(name, batch.title) for name in batch.usernames]

    async def _run(self, command: RunTask) -> str:
        """Start a run, once by its name, whatever becomes of the core; returns its id."""

        async def start(client: CoreClient) -> str:
            known = [row.id for row in (await client.runs()).rows if row.name == command.name]
            if known:
                return known[0]
            started = await client.run_task(command)
            assert started.run_id, started.preflight.problems[:3]
            return started.run_id

        return await self.ask(start)

    # --- Attending ------------------------------------------------------------------------------

    def _unsettled(self) -> int:
        return sum(row.state not in ITEM_FINAL for rows in self._open.values() for row in rows)

    async def _attend(self) -> None:
        for run_id in list(self._open):
            before = [(row.id, row.state, row.attempt) for row in self._open[run_id]]
            page = await self.ask(partial(_items, run_id=run_id))
            self._open[run_id] = page.rows
            if [(row.id, row.state, row.attempt) for row in page.rows] != before:
                self._last_move = time.monotonic()
            await self._help_failed(run_id, page.rows)
            if all(self._is_over(row) for row in page.rows):
                del self._open[run_id]

    def _is_over(self, row: ItemRow) -> bool:
        if row.state is ItemState.FAILED:
            return self._failures[row.id] >= _TRIES
        return row.state in ITEM_FINAL

    async def _help_failed(self, run_id: str, rows: Sequence[ItemRow]) -> None:
        """Try failed items again; sign accounts in again first where that is the reason."""
        failed = [row for row in rows if row.state is ItemState.FAILED]
        failed = [row for row in failed if self._failures[row.id] < _TRIES]
        if not failed:
            return
        for row in failed:
            code = row.error.code if row.error else "unknown"
            self.attendance.retried[code] += 1
            self.attendance.said[code] = row.error.message if row.error else ""
            self._failures[row.id] += 1
            if self._failures[row.id] >= _TRIES:
                self.attendance.given_up.append(f"{row.username}, {row.title}: {row.error}")
        signed_out = {
            row.username for row in failed if row.error and row.error.code == "session_expired"
        }
        if signed_out:
            self.attendance.signed_in_again += len(signed_out)
            await self._sign_in(sorted(signed_out), patient=False)
        command = ControlRun(verb="retry", item_ids=[row.id for row in failed])
        await self.ask(lambda client: client.control_run(run_id, command))

    async def _answer_cards(self) -> None:
        """Answer every doubt that was left to a person truthfully, by looking at the platform."""
        page = await self.ask(lambda client: client.cards())
        for card in page.rows:
            if card.answer is not None or card.ours is None:
                continue
            # A person takes a moment. By then what was on its way is there, and is shown.
            seen_at = self._cards.setdefault(card.id, time.monotonic())
            if time.monotonic() - seen_at < _LOOK_AT_CARD_SECONDS:
                continue
            try:
                await self._ledger.read()
            except (httpx.HTTPError, RuntimeError):
                return
            code = self._ledger.code_of(card.username, card.ours.caption)
            link = f"{self._pages[card.username]}/p/{code}/" if code else ""
            answer = ActOnCard(act="it_is_there" if code else "publish_it", link=link)
            answered = Answered(
                username=card.username, title=card.ours.caption, act=answer.act, at=time.time()
            )
            # Said again where the word that it was heard got lost; then it may be settled by now.
            with contextlib.suppress(ConflictError):
                await self.ask(partial(_answer, card_id=card.id, answer=answer))
            self.attendance.answers.append(answered)

    async def _sign_in(self, usernames: Sequence[str], *, patient: bool) -> None:
        """Sign accounts in; where `patient`, wait until each of them is."""
        self._sign_ins += 1
        command = RunTask(
            name=f"Sign in {self._sign_ins}",
            task="bulk_login",
            parameters={"force": True},
            targets=Targets(usernames=list(usernames)),
        )
        run_id = await self._run(command)
        while patient:
            page = await self.ask(lambda client: client.run_items(run_id, limit=_PAGE))
            bad = [row for row in page.rows if row.state is ItemState.FAILED]
            assert not bad, bad[0].error
            if all(row.state is ItemState.DONE for row in page.rows):
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def ask(self, act: Callable[[CoreClient], Awaitable[T]]) -> T:
        """Ask the core, again and again while it is away or has no room to write."""
        latest = time.monotonic() + _ASK_SECONDS
        while True:
            await self._stage.core.up.wait()
            try:
                return await act(await self._connected())
            except (CoreUnreachableError, TokenRefusedError, StoreError):
                self.attendance.core_was_away += 1
                if time.monotonic() > latest:
                    raise
            except httpx.HTTPError:
                self.attendance.core_was_away += 1
            await asyncio.sleep(_POLL_SECONDS / 2)

    async def _connected(self) -> CoreClient:
        endpoint = self._stage.core.process.endpoint
        if self._client is None or endpoint != self._endpoint:
            await self.aclose()
            self._client, self._endpoint = CoreClient.connect(endpoint), endpoint
        return self._client


async def _import(client: CoreClient, command: ImportAccounts) -> ImportResult:
    return await client.import_accounts(command)


async def _answer(client: CoreClient, card_id: str, answer: ActOnCard) -> CardRow:
    return await client.act_on_card(card_id, answer)


async def _items(client: CoreClient, run_id: str) -> Page[ItemRow]:
    return await client.run_items(run_id, limit=_PAGE)


async def _pair(client: CoreClient, line: str) -> AgentRow:
    return await client.pair_agent(PairAgent(line=SecretStr(line)))


def _make_photos(folder: Path, count: int, seed: int) -> list[Path]:
    """Write small photos that the platform takes as they are, no two alike."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    paths = []
    for number in range(count):
        colour = tuple(chance.randrange(256) for _ in range(3))
        picture = Image.new("RGB", (320, 320), colour)
        picture.putpixel((number % 320, number // 320), (255, 255, 255))
        path = folder / f"photo-{number:05d}.jpg"
        picture.save(path, "JPEG", quality=70, comment=f"{seed}-{number}".encode())
        paths.append(path)
    return paths
