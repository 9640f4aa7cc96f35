"""The sample fleet of the gallery: contract values as a fleet in use has them. No network."""

from __future__ import annotations

import hashlib
import random
from collections import Counter

from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, PostKind
from common.domain.states import ActionState, ItemState, LinkState, RunState, SignInState
from common.domain.transitions import ITEM_FINAL, run_state_of
from common.errors import (
    AgentUnreachableError,
    AmbiguousEffectError,
    ChallengeRequiredError,
    CredentialsRefusedError,
    FlotillaError,
    PlatformUnreachableError,
    ProxyFailedError,
)
from desktop_app.contract.accounts import (
    AccountRow,
    Hold,
)
from desktop_app.contract.agents import AgentRow
from desktop_app.contract.cards import CardRow
from desktop_app.contract.changes import Overview
from desktop_app.contract.media import MediaRow
from desktop_app.contract.runs import (
    ItemRow,
    LedgerEntry,
    LogLine,
    RunRow,
)
from desktop_app.ui.gallery_doubts import doubtful_ledger, sample_cards

_PLACES = (
    "harbour",
    "pine",
    "lantern",
    "quay",
    "driftwood",
    "saltmarsh",
    "beacon",
    "cedar",
    "tide",
)
_TRADES = (
    "coffee",
    "crafts",
    "pottery",
    "books",
    "bakery",
    "sailing",
    "prints",
    "garden",
    "studio",
)
_TAGS = ("Summer stores", "Coast", "Cafés", "Partners", "North", "Wholesale", "Events")
_TITLES = (
    "Harbour at dusk", "First light", "Pour over", "Market morning", "Fog on the quay",
    "Paper mountains", "Salt and pine", "The old pier", "Evening swell", "Coastal herbs",
    "Flat white", "Dawn ridges", "Low tide", "Kiln day",
)  # fmt: skip
_STEPS = ("opening the profile", "uploading 62%", "configuring the post", "waiting for the link")
_AGENTS = ("dock-1", "dock-2", "pier-9")
REVISION = 1
_MINUTE = 60.0
_HOUR = 3600.0


def _id(kind: str, number: int) -> str:
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    value = int.from_bytes(hashlib.sha256(f"{kind}{number}".encode()).digest()[:15], "big")
    return "0" + "".join(digits[(value >> (5 * at)) & 31] for at in range(25))


def sample_accounts(count: int, now: float) -> list[AccountRow]:
    """Return accounts as a fleet in use has them: most signed in, some in trouble."""
    chance = random.Random(7)
    return [_account(number, chance, now) for number in range(count)]


def _account(number: int, chance: random.Random, now: float) -> AccountRow:
    place, trade = _PLACES[number % 9], _TRADES[(number // 9 + number) % 9]
    suffix = f".{number // 81}" if number >= 81 else ""
    lot = chance.random() if number > 4 else (0.1, 0.2, 0.86, 0.93, 0.3)[number]
    state, error = _sign_in(f"{place}.{trade}{suffix}", lot)
    hold = None
    if state is SignInState.CHALLENGE and error is not None:
        hold = Hold(reason="The platform asks for a person.", error=error.to_wire(), at=now - 900)
    elif lot > 0.985:
        hold = Hold(reason="Paused for the summer campaign", at=now - 2 * _HOUR)
    driver = DriverName.BROWSER if number % 3 == 2 else DriverName.PRIVATE_API
    return AccountRow(
        id=_id("account", number),
        platform=Platform.PRACTICE,
        username=f"{place}.{trade}{suffix}",
        full_name=f"{place.title()} {trade.title()}",
        user_id=str(48_200_000_000 + number * 7919) if state is not SignInState.UNKNOWN else "",
        tags=sorted(chance.sample(_TAGS, chance.choice((1, 1, 2, 2, 3)))),
        driver=driver,
        has_password=True,
        has_totp=number % 3 == 0,
        proxy="http://10.2.0.14:3128" if number % 6 == 0 else "",
        agent_id=_agent_id(_AGENTS[number % 3]),
        agent=_AGENTS[number % 3],
        sign_in=state,
        sign_in_at=now - chance.random() * 30 * _HOUR if state is not SignInState.UNKNOWN else None,
        error=error.to_wire() if error else None,
        hold=hold,
        posts=int(chance.random() ** 2 * 340),
        profile_url=f"http://127.0.0.1:8700/{place}.{trade}{suffix}/",
        created_at=now - 40 * 24 * _HOUR,
    )


def _sign_in(name: str, lot: float) -> tuple[SignInState, FlotillaError | None]:
    if lot < 0.8:
        return SignInState.SIGNED_IN, None
    if lot < 0.85:
        return SignInState.SIGNED_OUT, ProxyFailedError(
            "The proxy 10.2.0.14:3128 refused the user name and password.", subject=name
        )
    if lot < 0.9:
        return SignInState.REFUSED, CredentialsRefusedError(
            f"The platform refused the password of {name}.", subject=name
        )
    if lot < 0.94:
        return SignInState.CHALLENGE, ChallengeRequiredError(
            f"The platform asks {name} to confirm that it was them.", subject=name
        )
    return SignInState.UNKNOWN, None


def sample_agents(now: float) -> list[AgentRow]:
    """Return three agents, one of them out of reach."""
    return [_agent(number, now) for number in range(3)]


def _agent(number: int, now: float) -> AgentRow:
    lost = number == 2
    name = _AGENTS[number]
    error = AgentUnreachableError("Nothing answers at 10.0.4.9:8088.", subject=name)
    return AgentRow(
        id=_agent_id(name),
        name=name,
        host=("10.0.4.7", "10.0.4.8", "10.0.4.9")[number],
        port=8088,
        link=LinkState.DISCONNECTED if lost else LinkState.ONLINE,
        link_error=error.to_wire() if lost else None,
        app="0.1.0",
        drivers=["private_api", "browser"] if number != 1 else ["private_api"],
        tasks=["bulk_login", "bulk_upload"],
        browser_slots=(4, 0, 8)[number],
        capacity=(1.0, 2.0, 1.0)[number],
        accounts=(1780, 2410, 810)[number],
        running=(5, 3, 0)[number],
        queued=(11, 8, 6)[number],
        disk_free=(40, 41 * 1024, 96 * 1024)[number] * 1024**2,
        round_trip=None if lost else (0.0042, 0.0187)[number],
        clock_skew=(0.1, 3.4, -0.2)[number],
        last_seen=now - (1860 if lost else 2),
        paired_at=now - 20 * 24 * _HOUR,
        is_draining=number == 1,
        is_disk_full=number == 0,
        dead_man_hours=(72.0, 0.0, 48.0)[number],
    )


def _agent_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:52]


def sample_media(count: int, now: float) -> list[MediaRow]:
    """Return a library of photos and videos."""
    return [_media(number, now) for number in range(count)]


def _media(number: int, now: float) -> MediaRow:
    video = number % 5 in (1, 3)
    width, height = (720, 1280) if video else ((1080, 1350), (1080, 1080), (1080, 566))[number % 3]
    title = _TITLES[number % len(_TITLES)]
    stem = title.lower().replace(" ", "-")
    return MediaRow(
        sha256=hashlib.sha256(f"media{number}".encode()).hexdigest(),
        name=f"{stem}.{'mp4' if video else 'jpg'}",
        title=title,
        kind=MediaKind.VIDEO if video else MediaKind.PHOTO,
        size=(640 if video else 210) * 1024 + number * 137,
        width=width,
        height=height,
        duration=5.0 + number % 3 if video else 0.0,
        added_at=now - number * _HOUR,
        used=(number * 7) % 30,
    )


class SampleFleet:
    """Everything that a sample core knows."""

    def __init__(self, rows: int, now: float) -> None:
        self.now = now
        self.accounts = sample_accounts(rows, now)
        self.agents = _with_counts(sample_agents(now), self.accounts) if rows else []
        self.media = sample_media(min(rows * 2, 400), now) if rows else []
        self.items = self._items() if rows else []
        self.runs = self._runs() if rows else []
        self.cards = sample_cards(self.items, now, 5 if rows < 100 else 48) if rows else []

    def _items(self) -> list[ItemRow]:
        chance = random.Random(3)
        targets = [account for account in self.accounts if account.hold is None]
        return [
            self._item(number, account, chance) for number, account in enumerate(targets, start=1)
        ]

    def _item(self, number: int, account: AccountRow, chance: random.Random) -> ItemRow:
        share = number / max(len(self.accounts), 1)
        state = _item_state(share, number, chance)
        media = self.media[number % len(self.media)]
        began = self.now - 12 * _MINUTE + number * 0.1
        online = {agent.name for agent in self.agents if agent.link is LinkState.ONLINE}
        error = None
        if state is ItemState.FAILED:
            error = PlatformUnreachableError(
                "The platform could not be reached through 10.2.0.14:3128."
            ).to_wire()
        if state is ItemState.NEEDS_OPERATOR:
            error = AmbiguousEffectError("Two posts could be this one.").to_wire()
        kind = PostKind.REEL if media.kind is MediaKind.VIDEO else PostKind.PHOTO
        done = state is ItemState.DONE
        action = _ACTIONS.get(state) if state is not ItemState.RUNNING else _MOVING[number % 3]
        return ItemRow(
            id=_id("item", number),
            run_id=_id("run", 0),
            position=number,
            account_id=account.id,
            username=account.username,
            agent_id="a",
            agent=account.agent,
            title=f"{kind.capitalize()} “{media.title}”",
            state=state,
            attempt=1,
            driver=account.driver or DriverName.PRIVATE_API,
            driver_reason="Private API is the first driver that can do it.",
            step=_STEPS[number % 4] if action is ActionState.PREPARED else "",
            fraction=chance.random() if state is ItemState.RUNNING else None,
            post_kind=kind,
            caption=f"{media.title}, by {account.full_name}",
            media=[media.sha256],
            action=action,
            link=f"http://127.0.0.1:8700/p/C{number:05d}/" if done else "",
            error=error,
            started_at=began,
            ended_at=began + 9 if state in ITEM_FINAL else None,
            changed_at=began + 9,
            agent_online=account.agent in online,
        )

    def _runs(self) -> list[RunRow]:
        counts = dict(Counter(item.state for item in self.items))
        first = RunRow(
            id=_id("run", 0),
            name="Autumn reels, coast stores",
            task="bulk_upload",
            state=run_state_of(counts),
            counts=counts,
            total=len(self.items),
            handed_over=True,
            created_at=self.now - 12 * _MINUTE,
        )
        older = [
            ("Sign in: Summer stores", RunState.DONE, {ItemState.DONE: 24}, 3.2),
            ("Harbour week, day 3", RunState.FAILED,
             {ItemState.DONE: 196, ItemState.FAILED: 4, ItemState.CANCELLED: 2}, 26.0),
            ("Harbour week, day 2", RunState.DONE, {ItemState.DONE: 202}, 50.0),
            ("Café openings", RunState.PAUSED,
             {ItemState.DONE: 30, ItemState.PAUSED: 34}, 74.0),
        ]  # fmt: skip
        rows = [first]
        for number, (name, state, tally, hours) in enumerate(older, start=1):
            ended = None if state is RunState.PAUSED else self.now - (hours - 0.4) * _HOUR
            rows.append(
                RunRow(
                    id=_id("run", number),
                    name=name,
                    task="bulk_upload",
                    state=state,
                    counts=tally,
                    total=sum(tally.values()),
                    handed_over=True,
                    created_at=self.now - hours * _HOUR,
                    ended_at=ended,
                )
            )
        return rows

    def overview(self) -> Overview:
        """Return the fleet in numbers."""
        return Overview(
            store_name="Demo store" if self.accounts else "New store",
            practice=bool(self.accounts),
            accounts=len(self.accounts),
            signed_in=sum(a.sign_in is SignInState.SIGNED_IN for a in self.accounts),
            held=sum(a.hold is not None for a in self.accounts),
            agents=len(self.agents),
            agents_online=sum(a.link is LinkState.ONLINE for a in self.agents),
            media=len(self.media),
            cards=sum(card.answer is None for card in self.open_cards()),
            needs_operator=sum(i.state is ItemState.NEEDS_OPERATOR for i in self.items),
            items=dict(Counter(i.state for i in self.items if i.state not in ITEM_FINAL)),
            runs=dict(Counter(run.state for run in self.runs)),
            revision=REVISION,
        )

    def open_cards(self) -> list[CardRow]:
        """Return the cards that are not settled."""
        return [card for card in self.cards if card.resolved_at is None]

    def log(self) -> list[LogLine]:
        """Return a log of the first run."""
        lines = []
        for item in self.items[:160]:
            at = (item.started_at or self.now) + 0.137
            said = [("info", f"Attempt 1 of “{item.title}” with {item.driver}")]
            if item.state is ItemState.DONE:
                said += [
                    ("info", "Upload finished: 214 KiB in 0.41 s"),
                    ("info", f"Confirmed: {item.link}"),
                ]
            if item.state is ItemState.FAILED and item.error:
                said += [
                    ("warning", "Connection refused; the request was not sent"),
                    ("error", item.error.message),
                ]
            for after, (level, text) in enumerate(said):
                lines.append(
                    LogLine(at=at + after * 0.83, level=level, username=item.username,
                            item_id=item.id, text=text)
                )  # fmt: skip
        return sorted(lines, key=lambda line: line.at)

    def ledger(self, item_id: str) -> list[LedgerEntry]:
        """Return the ledger of an item that has had an effect."""
        item = next((each for each in self.items if each.id == item_id), None)
        if item is None or item.action is None:
            return []
        action_id = _id("action", item.position)
        if item.action is not ActionState.CONFIRMED or item.position % 4 == 1:
            return doubtful_ledger(item, action_id)
        return self._plain_ledger(item, action_id)

    def account_ledger(self, account_id: str) -> list[LedgerEntry]:
        """Return what an account has had published, newest first: some of its neighbours' too."""
        place = next((n for n, a in enumerate(self.accounts) if a.id == account_id), 0)
        items = [item for item in self.items if item.action is not None]
        mine = [items[(place + number) % len(items)] for number in range(min(len(items), 6))]
        entries = [entry for item in mine for entry in self.ledger(item.id)]
        return sorted(entries, key=lambda entry: -entry.at)

    @staticmethod
    def _plain_ledger(item: ItemRow, action_id: str) -> list[LedgerEntry]:
        steps: tuple[tuple[ActionState, str, dict[str, str]], ...] = (
            (ActionState.PLANNED, "", {}),
            (ActionState.PREPARED, "uploaded", {"upload_id": "1763905511042"}),
            (ActionState.SENDING, "the deciding request leaves", {"upload_id": "1763905511042"}),
            (ActionState.CONFIRMED, "the platform confirmed it", {"request": "r-88f1c2"}),
        )
        began = item.started_at or 0.0
        return [
            LedgerEntry(
                at=began + number * 1.21, action_id=action_id, attempt=1, operation="publish",
                state=state, driver=item.driver, agent=item.agent, seq=4100 + number,
                resume=resume, note=note,
                remote_id="3419990871" if state is ActionState.CONFIRMED else "",
                remote_url=item.link if state is ActionState.CONFIRMED else "",
                item_id=item.id, run_id=item.run_id, title=item.title,
            )
            for number, (state, note, resume) in enumerate(steps)
        ]  # fmt: skip


def _with_counts(agents: list[AgentRow], accounts: list[AccountRow]) -> list[AgentRow]:
    """Return agents that say how many of the accounts are theirs."""
    counts = Counter(account.agent for account in accounts)
    return [agent.model_copy(update={"accounts": counts[agent.name]}) for agent in agents]


_MOVING = (ActionState.SENDING, ActionState.RECONCILING, ActionState.PREPARED)
_ACTIONS = {
    ItemState.DONE: ActionState.CONFIRMED,
    ItemState.NEEDS_OPERATOR: ActionState.UNRESOLVED,
}


def _item_state(share: float, number: int, chance: random.Random) -> ItemState:
    if share < 0.55:
        return ItemState.FAILED if number % 31 == 4 else ItemState.DONE
    if share < 0.8 and number < 60 and number % 3 != 1:
        return ItemState.RUNNING
    if share < 0.8 and number < 60:
        return ItemState.ASSIGNED
    if share < 0.7:
        return ItemState.DONE if chance.random() > 0.01 else ItemState.RUNNING
    return ItemState.NEEDS_OPERATOR if number % 997 == 11 else ItemState.ASSIGNED
