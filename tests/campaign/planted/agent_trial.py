"""One agent that may have a bug, the platform, and a desktop that a case leads by the hand.

What the desktop heard, what the journal says and what the platform has go to the judge.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.presence import find_running
from agent.server.pairing import open_code
from common.access import AccountAccess
from common.domain.content import MediaKind, PostKind
from common.domain.ids import new_id
from common.domain.transitions import ITEM_FINAL
from common.errors import FlotillaError
from common.items import ItemSpec
from common.operations import Post
from common.protocol.bulk import OfferBlob
from common.protocol.events import ActionChanged, ItemChanged
from common.protocol.messages import AskBlobs, AskInventory, Inventory, MissingBlobs
from common.security.pairing import PairingLine
from tests.campaign import evidence as found
from tests.campaign.crew import Order
from tests.campaign.evidence import Evidence, Log, StoredItem
from tests.campaign.inside.surroundings import Surroundings
from tests.campaign.inside.tweaks import set_tweaks
from tests.campaign.judge import Finding, judge
from tests.campaign.planted.undisturbed import evidence_of
from tests.campaign.planted.witness import Command
from tests.campaign.stage import CONFIGURE, CampaignAgent
from tests.support.agent_link import DesktopLink, Paired, blob_frames, open_bulk, pair
from tests.support.driving import media_file, seed_account
from tests.support.item_messages import login_item, upload_item
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo

MACHINE = "agent-0"
_SIZE = (480, 480)
_LOOK_SECONDS = 0.02
_OVER_SECONDS = 30.0


class TracedAgent(CampaignAgent):
    """The same below strace."""

    program = "tests.campaign.planted.under_strace"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a case needs to be so; the same with the bug and without it."""

    tweaks: dict[str, float] = field(default_factory=dict)
    """Constants of the agent, by `module:NAME`."""
    settings: dict[str, str] = field(default_factory=dict)
    """Settings of the agent, by name."""
    part: str = ""
    """A part that goes in beside the bug."""
    acknowledges: bool = True
    """False where the desktop acknowledges only when the case says so."""
    program: type[CampaignAgent] = CampaignAgent


@dataclass
class AgentTrial:
    """The running trial, with one account signed in."""

    practice: PracticeProcess
    paired: Paired
    link: DesktopLink
    account: AccountAccess
    folder: Path
    """Of the machine: where points are armed, and a trace is written."""
    agent: CampaignAgent
    witnessed: list[Finding] = field(default_factory=list)
    """What the case itself saw."""
    commands: list[Command] = field(default_factory=list)
    status: int = 0
    """How the agent ended when it was asked to."""
    _orders: list[Order] = field(default_factory=list)
    _items: dict[str, ItemSpec] = field(default_factory=dict)

    def fault(self, kind: str, **fields: Any) -> None:
        """Let the platform misbehave at the request that publishes."""
        self.practice.fault(kind, CONFIGURE, account=self.account.username, **fields)

    def photo(self, number: int) -> Path:
        """A small photo, another one for each number."""
        return make_photo(self.folder / f"photo-{number}.jpg", number, _SIZE)

    async def bring(self, photo: Path) -> str:
        """Send a file to the agent; returns its SHA-256."""
        data = photo.read_bytes()
        sha256: str = _file(photo).sha256
        async with open_bulk(self.paired) as bulk:
            await bulk.send(OfferBlob(channel=1, sha256=sha256, size=len(data)).model_dump_json())
            await bulk.recv()
            for frame in blob_frames(1, data):
                await bulk.send(frame)
                await bulk.recv()
            await bulk.recv()  # that it is stored
        return sha256

    async def order(self, caption: str, *photos: Path, fence: int = 1) -> ItemSpec:
        """Hand a post over: of one photo, or a carousel. Raises what the agent refuses it with."""
        kind = PostKind.PHOTO if len(photos) == 1 else PostKind.CAROUSEL
        post = Post(kind, [_file(photo) for photo in photos], caption)
        item = upload_item(self.account, self.folder, post).item
        item = item.model_copy(update={"fence": fence})
        try:
            await self.link.accept(item)
        except FlotillaError:
            self.commands.append(Command(fence, is_taken=False))
            raise
        self.commands.append(Command(fence, is_taken=True))
        self._items[item.item_id] = item
        self._orders.append(Order(self.account.username, caption))
        return item

    async def publish(self, caption: str, photo: Path, *, fence: int = 1) -> ItemSpec:
        """Publish a photo, and wait until the desktop hears that this is done."""
        await self.bring(photo)
        item = await self.order(caption, photo, fence=fence)
        await self.until_heard(item, "done")
        return item

    async def sign_in(self) -> None:
        """Sign the account in, and wait until that is over."""
        item = login_item(self.account, self.folder, force=True).item
        await self.link.accept(item)
        await self.until_over(item)

    async def until_heard(self, item: ItemSpec, state: str) -> None:
        """Wait until the desktop hears of a state."""
        await self.link.until(lambda: state in self.link.states(item.item_id), f"is {state}")

    async def until_over(self, item: ItemSpec) -> None:
        """Wait until the agent has an item no more, whether the desktop has heard of it or not."""
        async with asyncio.timeout(_OVER_SECONDS):
            while True:
                held = (await self._inventory()).rows
                if all(row.item_id != item.item_id for row in held):
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    async def until_caught_up(self) -> None:
        """Wait until the desktop has heard of everything that the journal tells of by now."""
        last = (await self._inventory()).last_seq
        await self.link.until(lambda: max(self.link.seqs, default=0) >= last, f"event {last}")

    async def missing(self, *sha256s: str) -> list[str]:
        """Which of these files the agent does not have."""
        answer = await self.link.ask(AskBlobs(id=new_id(), sha256s=list(sha256s)))
        assert isinstance(answer, MissingBlobs)
        return answer.sha256s

    def findings(self) -> list[Finding]:
        """What the case saw and the judge finds; the agent has ended."""
        return [*self.witnessed, *judge(self._evidence()).findings]

    async def _inventory(self) -> Inventory:
        answer = await self.link.ask(AskInventory(id=new_id()))
        assert isinstance(answer, Inventory)
        return answer

    def _evidence(self) -> Evidence:
        data, username = self.agent.data, self.account.username
        posts = found.read_posts(self.practice.ledger())
        here, torn = found.read_logs(self.folder, [data])
        return evidence_of(
            orders=self._orders,
            posts=[post for post in posts if post.username == username],
            items=[self._as_heard(item) for item in self._items.values()],
            actions=found.read_actions(MACHINE, data / "journal.sqlite"),
            fences=found.read_fences(MACHINE, data / "journal.sqlite"),
            # This desktop reads no logs: what the agent has is what there is.
            logs=[Log(log.item_id, log.attempt, log.at_agent, log.at_agent) for log in here],
            torn_lines=torn,
            parts=found.read_parts([data]),
            statuses={MACHINE: self.status},
        )

    def _as_heard(self, item: ItemSpec) -> StoredItem:
        """An item as the desktop knows it: its end is the first that it hears of."""
        events = self.link.events
        own = [e for e in events if isinstance(e, ItemChanged) and e.item_id == item.item_id]
        ends = [event for event in own if event.state in ITEM_FINAL]
        steps = [e for e in events if isinstance(e, ActionChanged) and e.item_id == item.item_id]
        last: Sequence[ItemChanged] = ends[:1] or own[-1:]
        error = last[0].error if last else None
        assert item.publish is not None
        return StoredItem(
            item_id=item.item_id,
            username=self.account.username,
            title=item.publish.caption,
            state=str(last[0].state) if last else "assigned",
            intent_state=str(steps[-1].state) if steps else "planned",
            remote_id=steps[-1].remote_id if steps else "",
            attempt=item.attempt,
            driver=str(item.account.driver),
            agent=MACHINE,
            error=error.message if error else "",
            steps=tuple(str(step.state) for step in steps),
        )


def _file(photo: Path) -> Any:
    return media_file(photo, MediaKind.PHOTO, _SIZE)


@asynccontextmanager
async def agent_trial(
    room: Path, practice: PracticeProcess, username: str, bug: str, conditions: Conditions
) -> AsyncIterator[AgentTrial]:
    """Start an agent with a bug, or without where `bug` is empty; it has ended behind the block.

    `username` is an account that the platform does not have yet.
    """
    parts = "+".join(part for part in (conditions.part, bug) if part)
    surroundings = Surroundings(room, MACHINE, parts)
    set_tweaks(surroundings.folder, conditions.tweaks)
    settings = {"browser_slots": "0", "api_runners": "1", "disk_reserve_mib": "0"}
    account = seed_account(practice, username)
    agent = conditions.program.start(
        room / "agent", surroundings.environment(), **settings | conditions.settings
    )
    try:
        paired = await pair(_line(agent))
        async with DesktopLink.open(paired, acknowledges=conditions.acknowledges) as link:
            trial = AgentTrial(practice, paired, link, account, surroundings.folder, agent)
            await trial.sign_in()
            trial.account = _signed_in(account, await _saved(link))
            yield trial
    finally:
        status = await asyncio.to_thread(agent.stop)
    trial.status = status


def _line(agent: CampaignAgent) -> str:
    running = find_running(agent.data)
    return str(PairingLine("127.0.0.1", running.port, running.agent_id, open_code(agent.data)))


async def _saved(link: DesktopLink) -> Any:
    (saved,) = await link.until(lambda: link.of("session_saved"), "a session")
    return saved


def _signed_in(account: AccountAccess, saved: Any) -> AccountAccess:
    known = {
        "session": saved.session,
        "session_version": saved.version,
        "user_id": saved.user_id,
    }
    return account.model_copy(update=known)
