"""A whole system in processes of its own, and what an operator does with it.

Practice platform, agent and headless core, as they are started by hand. What goes wrong in them
(kills, faults, cuts) is each test's own business.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from common.domain.accounts import DriverName, Platform
from common.domain.states import ItemState, LinkState
from common.domain.transitions import ITEM_FINAL
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.accounts import EditAccounts, ImportAccounts
from desktop_app.contract.agents import AgentRow, PairAgent
from desktop_app.contract.base import Changed
from desktop_app.contract.media import ImportMedia
from desktop_app.contract.runs import ControlRun, ItemRow, RunStarted, RunTask, Targets
from tests.support.agent_process import AgentProcess
from tests.support.core_process import CoreProcess
from tests.support.practice_client import PracticeClient
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo

DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.05
CONFIGURE = "/api/v1/media/configure/"
"""The one request of a photo that makes it visible."""
AT_REST = ITEM_FINAL | {ItemState.NEEDS_OPERATOR}


@dataclass(frozen=True, kw_only=True)
class Member:
    """An account as the operator has it, right or wrong."""

    username: str
    password: str = "right-horse-battery"
    totp_seed: str = ""
    proxy: str = ""
    """Address with credentials in it."""

    def line(self) -> str:
        """The account as one line of an import."""
        parts = [self.username, self.password]
        if self.totp_seed:
            parts.append(self.totp_seed)
        if self.proxy:
            parts.append(self.proxy)
        return ":".join(parts)

    def seed(self) -> dict[str, str]:
        """The account as the platform is told of it."""
        known = {"username": self.username, "password": self.password}
        return known | ({"totp_seed": self.totp_seed} if self.totp_seed else {})


@dataclass
class System:
    """The running system."""

    folder: Path
    practice: PracticeProcess
    agent: AgentProcess
    core: CoreProcess
    _photos: int = field(default=0)

    async def pair(self, client: CoreClient, line: str = "") -> AgentRow:
        """Pair by a line, a fresh one of the agent where none is given."""
        return await client.pair_agent(PairAgent(line=SecretStr(line or self.agent.pair_line())))

    async def enrol(self, client: CoreClient, members: Sequence[Member]) -> list[str]:
        """Make accounts at the platform and import them; returns their user names."""
        self.practice.seed([member.seed() for member in members])
        return await self.bring_in(client, members)

    async def bring_in(
        self, client: CoreClient, members: Sequence[Member], driver: DriverName | None = None
    ) -> list[str]:
        """Import accounts as they are, whatever the platform knows of them."""
        result = await client.import_accounts(
            ImportAccounts(
                text=SecretStr("\n".join(member.line() for member in members)),
                platform=Platform.PRACTICE,
                platform_url=self.practice.url,
                confirmed_authority=True,
            )
        )
        assert result.applied, result.problems
        if driver:
            await client.edit_accounts(EditAccounts(ids=result.ids, driver=driver))
        return [member.username for member in members]

    def post_by_phone(self, username: str, caption: str) -> None:
        """Publish a photo on an account as its owner does it, past Flotilla."""
        phone = PracticeClient(self.practice.url)
        try:
            phone.login(username, Member(username=username).password)
            picture = make_photo(self.folder / f"phone-{username}.jpg", 77, (480, 480))
            phone.publish_photo(picture, caption)
        finally:
            phone.close()

    async def photos(self, client: CoreClient, count: int) -> list[str]:
        """Add photos that the library has not seen; returns their SHA-256s."""
        first, self._photos = self._photos, self._photos + count
        paths = [
            str(make_photo(self.folder / f"photo-{number}.jpg", number, (480, 480)))
            for number in range(first, self._photos)
        ]
        return [row.sha256 for row in (await client.import_media(ImportMedia(paths=paths))).rows]

    async def judge(
        self, client: CoreClient, task: str, usernames: Sequence[str], **parameters: Any
    ) -> RunStarted:
        """Start a run, or learn why it does not start."""
        targets = Targets(usernames=list(usernames))
        return await client.run_task(RunTask(task=task, parameters=parameters, targets=targets))

    async def start(
        self, client: CoreClient, task: str, usernames: Sequence[str], **parameters: Any
    ) -> str:
        """Start a run; returns its id."""
        started = await self.judge(client, task, usernames, **parameters)
        assert started.run_id, started.preflight.problems
        return started.run_id

    async def sign_in(self, client: CoreClient, usernames: Sequence[str]) -> list[ItemRow]:
        """Sign accounts in, and wait until that has ended, well or badly."""
        run_id = await self.start(client, "bulk_login", usernames, force=True)
        return await self.until_at_rest(client, run_id)

    async def upload(
        self, client: CoreClient, usernames: Sequence[str], photos: Sequence[str]
    ) -> str:
        """Start publishing each photo on every account."""
        posts = [{"media": [sha256]} for sha256 in photos]
        return await self.start(
            client,
            "bulk_upload",
            usernames,
            posts=posts,
            distribution="same_to_all",
            caption="{title}",
        )

    async def control(self, client: CoreClient, run_id: str, verb: Any) -> Changed:
        """Pause, resume, cancel or retry a whole run."""
        return await client.control_run(run_id, ControlRun(verb=verb))

    async def until(
        self, client: CoreClient, run_id: str, fact: Callable[[list[ItemRow]], bool], what: str
    ) -> list[ItemRow]:
        """Wait for something to be true of a run's items."""
        items: list[ItemRow] = []
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while True:
                    items = (await client.run_items(run_id)).rows
                    if fact(items):
                        return items
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            states = Counter((item.state, item.action, item.step) for item in items)
            raise AssertionError(f"not in time: {what}; {dict(states)}") from None

    async def until_at_rest(self, client: CoreClient, run_id: str) -> list[ItemRow]:
        """Wait until every item has ended or needs the operator."""
        return await self.until(
            client, run_id, lambda items: all(item.state in AT_REST for item in items), "at rest"
        )

    async def until_nothing_moves(self, client: CoreClient, run_id: str) -> list[ItemRow]:
        """Wait until every item is at rest, or waits for an account's doubt to be settled."""

        def fact(items: list[ItemRow]) -> bool:
            doubtful = {item.username for item in items if needs_operator(item)}
            return all(item.state in AT_REST or item.username in doubtful for item in items)

        return await self.until(client, run_id, fact, "nothing moves")

    async def until_done(self, client: CoreClient, run_id: str, count: int) -> list[ItemRow]:
        """Wait until some items are done."""
        return await self.until(
            client,
            run_id,
            lambda items: sum(item.state is ItemState.DONE for item in items) >= count,
            f"{count} done",
        )

    async def until_link(self, client: CoreClient, *states: LinkState) -> AgentRow:
        """Wait until the link to the agent is in one of the states."""
        row = None
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while True:
                    row = (await client.agents()).rows[0]
                    if row.link in states:
                        return row
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise AssertionError(f"the link is not {states}: {row}") from None

    def published(self, *usernames: str) -> list[dict[str, Any]]:
        """What the platform itself has on record, of some accounts or of all."""
        records = self.practice.ledger(kind="published")
        return [each for each in records if not usernames or each["account"] in usernames]

    def published_once(self, *usernames: str) -> int:
        """Assert that nothing is there twice, and return how many posts there are."""
        records = self.published(*usernames)
        contents = Counter((each["account"], *each["content_sha256"]) for each in records)
        twice = {content: count for content, count in contents.items() if count > 1}
        assert not twice, f"published more than once: {twice}"
        return len(records)

    def reopen_core(self) -> None:
        """Start the core again on the same data."""
        self.core = CoreProcess.start(self.core.data)

    def restart_agent(self) -> None:
        """Start the agent again on the same data and port."""
        self.agent = AgentProcess.start(self.agent.data, port=self.agent.port)


def needs_operator(item: ItemRow) -> bool:
    """Whether the item waits for a person."""
    return item.state is ItemState.NEEDS_OPERATOR


def states_of(items: Sequence[ItemRow]) -> dict[ItemState, int]:
    """How many items are in which state."""
    return dict(Counter(item.state for item in items))


@contextlib.contextmanager
def running_system(folder: Path, **agent_settings: str) -> Iterator[System]:
    """Start everything; end whatever then runs, also what a test has started anew."""
    with PracticeProcess.start(folder / "practice") as practice:
        agent = AgentProcess.start(folder / "agent", **agent_settings)
        try:
            system = System(folder, practice, agent, CoreProcess.start(folder / "core"))
        except BaseException:
            agent.stop()
            raise
        try:
            yield system
        finally:
            try:
                system.core.stop()
            finally:
                system.agent.stop()


@contextlib.contextmanager
def paired_system(folder: Path, **agent_settings: str) -> Iterator[System]:
    """Start everything, with the agent paired."""

    async def pair(system: System) -> None:
        async with system.core.client() as client:
            await system.pair(client)

    with running_system(folder, **agent_settings) as system:
        asyncio.run(pair(system))
        yield system
