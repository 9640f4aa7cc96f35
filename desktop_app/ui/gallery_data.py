"""A sample fleet for the gallery: pure contract values behind the core's interface. No network."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import resources
from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind, PostKind
from common.domain.states import ActionState, ItemState, LinkState, RunState, SignInState
from common.domain.transitions import ITEM_FINAL, run_state_of
from common.errors import (
    AgentUnreachableError,
    ChallengeRequiredError,
    CredentialsRefusedError,
    FlotillaError,
    PlatformUnreachableError,
    ProxyFailedError,
)
from desktop_app.contract.accounts import (
    AccountRow,
    DeleteAccounts,
    EditAccounts,
    Hold,
    HoldAccounts,
    ImportAccounts,
    ImportProblem,
    ImportResult,
)
from desktop_app.contract.agents import AgentRow, ForgetAgent, PairAgent
from desktop_app.contract.base import Changed, Page
from desktop_app.contract.changes import Change, Overview, Reset, Watch, WatchScreens
from desktop_app.contract.media import DeleteMedia, ImportMedia, MediaImported, MediaRow
from desktop_app.contract.runs import (
    ControlRun,
    ItemLedger,
    ItemRow,
    LedgerEntry,
    LogLine,
    LogPage,
    Preflight,
    PreflightItem,
    PreflightProblem,
    RunRow,
    RunStarted,
    RunTask,
)

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
_REVISION = 1
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
        agent=("dock-1", "dock-2", "pier-9")[number % 3],
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
    name = ("dock-1", "dock-2", "pier-9")[number]
    error = AgentUnreachableError("Nothing answers at 10.0.4.9:8088.", subject=name)
    return AgentRow(
        id=f"{hashlib.sha256(name.encode()).hexdigest()[:52]}",
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
        disk_free=(182, 41, 96)[number] * 1024**3,
        round_trip=None if lost else (0.0042, 0.0187)[number],
        clock_skew=(0.1, 3.4, -0.2)[number],
        last_seen=now - (1860 if lost else 2),
        paired_at=now - 20 * 24 * _HOUR,
    )


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
        self.agents = sample_agents(now) if rows else []
        self.media = sample_media(min(rows * 2, 400), now) if rows else []
        self.items = self._items() if rows else []
        self.runs = self._runs() if rows else []

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
        error = None
        if state is ItemState.FAILED:
            error = PlatformUnreachableError(
                "The platform could not be reached through 10.2.0.14:3128."
            ).to_wire()
        kind = PostKind.REEL if media.kind is MediaKind.VIDEO else PostKind.PHOTO
        done = state is ItemState.DONE
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
            step=_STEPS[number % 4] if state is ItemState.RUNNING else "",
            fraction=chance.random() if state is ItemState.RUNNING else None,
            post_kind=kind,
            caption=f"{media.title}, by {account.full_name}",
            media=[media.sha256],
            action=ActionState.CONFIRMED if done else None,
            link=f"http://127.0.0.1:8700/p/C{number:05d}/" if done else "",
            error=error,
            started_at=began,
            ended_at=began + 9 if state in ITEM_FINAL else None,
            changed_at=began + 9 if state is not ItemState.QUEUED else 0.0,
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
            needs_operator=sum(i.state is ItemState.NEEDS_OPERATOR for i in self.items),
            items=dict(Counter(i.state for i in self.items if i.state not in ITEM_FINAL)),
            runs=dict(Counter(run.state for run in self.runs)),
            revision=_REVISION,
        )

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
        """Return the ledger of a published item."""
        item = next((each for each in self.items if each.id == item_id), None)
        if item is None or not item.link:
            return []
        steps: tuple[tuple[ActionState, str, dict[str, str]], ...] = (
            (ActionState.PLANNED, "", {}),
            (ActionState.PREPARED, "", {"upload_id": "1763905511042"}),
            (ActionState.SENDING, "the deciding request leaves", {"upload_id": "1763905511042"}),
            (ActionState.CONFIRMED, "answered by the platform", {"request": "r-88f1c2"}),
        )
        began = item.started_at or self.now
        return [
            LedgerEntry(
                at=began + number * 1.21, action_id=_id("action", item.position), attempt=1,
                operation="publish", state=state, driver=item.driver, agent=item.agent,
                seq=4100 + number, resume=resume, note=note,
                remote_id="3419990871" if state is ActionState.CONFIRMED else "",
                remote_url=item.link if state is ActionState.CONFIRMED else "",
            )
            for number, (state, note, resume) in enumerate(steps)
        ]  # fmt: skip


def _item_state(share: float, number: int, chance: random.Random) -> ItemState:
    if share < 0.55:
        return ItemState.FAILED if number % 31 == 4 else ItemState.DONE
    if share < 0.8 and number < 60 and number % 3 != 1:
        return ItemState.RUNNING
    if share < 0.8 and number < 60:
        return ItemState.ASSIGNED
    if share < 0.7:
        return ItemState.DONE if chance.random() > 0.01 else ItemState.RUNNING
    return ItemState.NEEDS_OPERATOR if number % 997 == 11 else ItemState.QUEUED


class SampleFeed:
    """The stream of changes: the first `Reset`, then silence until closed."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()
        self.is_connected = True

    async def __aiter__(self) -> AsyncIterator[Change]:
        yield Reset(revision=_REVISION)
        await self._closed.wait()

    async def set_watch(self, wish: Watch) -> None:
        """Nothing changes here."""

    async def aclose(self) -> None:
        """End the stream."""
        self._closed.set()


class SampleScreens:
    """The stream of screens: one picture per watched account."""

    def __init__(self, wish: WatchScreens, pictures: Sequence[bytes]) -> None:
        self._pictures = pictures
        self._wishes: asyncio.Queue[WatchScreens | None] = asyncio.Queue()
        self._wishes.put_nowait(wish)

    async def __aiter__(self) -> AsyncIterator[tuple[str, bytes]]:
        while (wish := await self._wishes.get()) is not None:
            for number, account_id in enumerate(wish.account_ids):
                yield account_id, self._pictures[number % len(self._pictures)]

    async def set_watch(self, wish: WatchScreens) -> None:
        """Push a picture of each of these accounts."""
        self._wishes.put_nowait(wish)

    async def aclose(self) -> None:
        """End the stream."""
        self._wishes.put_nowait(None)


class SampleCore:
    """The sample fleet behind the core's interface. Commands change nothing."""

    def __init__(self, rows: int, now: float) -> None:
        self.fleet = SampleFleet(rows, now)
        self._photos = sorted(resources.path("media").glob("*.jpg"))

    async def overview(self) -> Overview:
        """Return the fleet in numbers."""
        return self.fleet.overview()

    async def accounts(
        self, search: str = "", tag: str = "", sort: str = "", offset: int = 0, limit: int = 5000
    ) -> Page[AccountRow]:
        """Return a slice of the accounts."""
        rows = self.fleet.accounts
        return Page(
            rows=rows[offset : offset + limit], total=len(rows), offset=offset, revision=_REVISION
        )

    async def import_accounts(self, command: ImportAccounts) -> ImportResult:
        """Find a problem in every line without a colon or a comma."""
        lines = command.text.get_secret_value().splitlines()
        problems = [
            ImportProblem(
                line=number, field="password", message="The line has no password.",
                advice="Write it as user name, colon, password.",
            )
            for number, line in enumerate(lines, start=1)
            if line.strip() and ":" not in line and "," not in line
        ]  # fmt: skip
        good = sum(bool(line.strip()) for line in lines) - len(problems)
        return ImportResult(applied=False, accounts=good, problems=problems, revision=_REVISION)

    async def edit_accounts(self, command: EditAccounts) -> Changed:
        """Say that they changed."""
        return Changed(revision=_REVISION, ids=command.ids)

    async def hold_accounts(self, command: HoldAccounts) -> Changed:
        """Say that they changed."""
        return Changed(revision=_REVISION, ids=command.ids)

    async def delete_accounts(self, command: DeleteAccounts) -> Changed:
        """Say that they are gone."""
        return Changed(revision=_REVISION, ids=command.ids)

    async def agents(self) -> Page[AgentRow]:
        """Return all agents."""
        rows = self.fleet.agents
        return Page(rows=rows, total=len(rows), offset=0, revision=_REVISION)

    async def pair_agent(self, command: PairAgent) -> AgentRow:
        """Refuse: nothing answers."""
        raise AgentUnreachableError("Nothing answers at 10.0.4.11:8088.")

    async def forget_agent(self, command: ForgetAgent) -> Changed:
        """Say that it is gone."""
        return Changed(revision=_REVISION, ids=[command.id])

    async def media(self, search: str = "", offset: int = 0, limit: int = 5000) -> Page[MediaRow]:
        """Return the library."""
        rows = self.fleet.media
        return Page(rows=rows, total=len(rows), offset=0, revision=_REVISION)

    async def import_media(self, command: ImportMedia) -> MediaImported:
        """Refuse every file."""
        problems = [
            ImportProblem(line=number, field=path, message=f"{path} is empty.")
            for number, path in enumerate(command.paths, start=1)
        ]
        return MediaImported(rows=[], problems=problems, revision=_REVISION)

    async def delete_media(self, command: DeleteMedia) -> Changed:
        """Say that they are gone."""
        return Changed(revision=_REVISION, ids=command.sha256s)

    async def thumbnail(self, sha256: str) -> bytes:
        """Return one of the shipped photos."""
        numbers = {row.sha256: number for number, row in enumerate(self.fleet.media)}
        if not self._photos or sha256 not in numbers:
            return b""
        return self._photos[numbers[sha256] % len(self._photos)].read_bytes()

    async def runs(self, offset: int = 0, limit: int = 200) -> Page[RunRow]:
        """Return the runs."""
        rows = self.fleet.runs
        return Page(rows=rows, total=len(rows), offset=0, revision=_REVISION)

    async def run_task(self, command: RunTask) -> RunStarted:
        """Judge a draft: one item per chosen account."""
        tags = set(command.targets.tags)
        ids = set(command.targets.account_ids)
        chosen = [a for a in self.fleet.accounts if a.id in ids or not tags.isdisjoint(a.tags)]
        items = [
            PreflightItem(
                account_id=a.id, username=a.username, title=item.title, driver=item.driver,
                driver_reason=item.driver_reason, agent=a.agent, post_kind=item.post_kind,
                caption=item.caption + "\n\n#harbour #coast", media=item.media,
            )
            for a, item in zip(chosen, self.fleet.items, strict=False)
        ]  # fmt: skip
        problems = [
            PreflightProblem(
                severity="warning", field="media", username="", post=3, subject="low-tide.jpg",
                message="low-tide.jpg is 1080 × 566; the platform crops it.",
            ),
            PreflightProblem(
                severity="warning", field="accounts", username=chosen[0].username if chosen else "",
                message="It is held and will not be used.",
            ),
        ]  # fmt: skip
        judged = Preflight(items=items, problems=problems[: len(items)], may_start=bool(items))
        return RunStarted(run_id=None, preflight=judged, revision=_REVISION)

    async def run_items(
        self, run_id: str, state: ItemState | None = None, offset: int = 0, limit: int = 5000
    ) -> Page[ItemRow]:
        """Return the items of the first run; the others have none here."""
        rows = [i for i in self.fleet.items if i.run_id == run_id and state in (None, i.state)]
        return Page(
            rows=rows[offset : offset + limit], total=len(rows), offset=offset, revision=_REVISION
        )

    async def control_run(self, run_id: str, command: ControlRun) -> Changed:
        """Say that nothing changed."""
        return Changed(revision=_REVISION)

    async def run_log(self, run_id: str, offset: int = 0, limit: int = 262_144) -> LogPage:
        """Return the log of the first run in one page."""
        lines = self.fleet.log() if offset == 0 and self.fleet.runs[0].id == run_id else []
        return LogPage(
            offset=offset, end=len(lines) or offset, size=len(lines) or offset, lines=lines
        )

    async def item_ledger(self, item_id: str) -> ItemLedger:
        """Return the ledger of an item."""
        return ItemLedger(item_id=item_id, entries=self.fleet.ledger(item_id))

    def changes(self, watch: Watch | None = None) -> SampleFeed:
        """Return the stream of changes."""
        return SampleFeed()

    def screens(self, watch: WatchScreens | None = None) -> SampleScreens:
        """Return the stream of screens."""
        pictures = [photo.read_bytes() for photo in self._photos] or [b""]
        return SampleScreens(watch or WatchScreens(), pictures)

    async def aclose(self) -> None:
        """Nothing is open."""
