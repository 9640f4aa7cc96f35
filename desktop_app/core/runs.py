"""Runs as the operator starts and steers them: preflight, start, pause, resume, cancel, retry."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from common.domain.ids import new_id
from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from common.errors import (
    AgentUnreachableError,
    ConflictError,
    FlotillaError,
    NotFoundError,
    WireError,
)
from common.items import MediaRef
from common.limits.rules import Limits
from common.tasks.catalogue import task_type
from common.tasks.task_type import TaskType
from desktop_app.contract.base import Changed
from desktop_app.contract.runs import (
    ControlRun,
    ControlWork,
    Preflight,
    PreflightProblem,
    RunStarted,
    RunTask,
    Targets,
)
from desktop_app.core.agent_work import WISH_OF_VERB, Verb, is_postponed
from desktop_app.core.changes import ChangeHub
from desktop_app.core.fleet import Fleet
from desktop_app.core.placing import agents_for
from desktop_app.core.preflight import (
    Batch,
    BatchInput,
    BatchItem,
    error,
    judge,
    media_named_in,
    read_parameters,
    warning,
)
from desktop_app.store import accounts, agents, intents, items, media, runs
from desktop_app.store.records import (
    AccountRecord,
    AgentRecord,
    IntentClaim,
    ItemRecord,
    NewItem,
    NewRun,
)
from desktop_app.store.runs import RunStored
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched

_DOUBTED = IN_DOUBT_STATES - {ActionState.SENDING}
"""What may not be resumed. A post that is being sent may: its agent was asked to pause it, and
could not."""
_PAUSABLE = frozenset({ItemState.QUEUED, ItemState.ASSIGNED, ItemState.RUNNING})


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the store knows of a batch, as of one moment."""

    accounts: Sequence[AccountRecord]
    agents: Sequence[AgentRecord]
    media: dict[str, MediaRef]
    media_titles: dict[str, str]
    busy: frozenset[str]


class RunService:
    """Starts and steers runs."""

    def __init__(self, store: Store, hub: ChangeHub, fleet: Fleet, limits: Limits) -> None:
        self._store = store
        self._hub = hub
        self._fleet = fleet
        self._limits = limits

    async def run_task(self, command: RunTask) -> RunStarted:
        """Judge a batch and, unless it is a dry run or has an error, start it.

        Raises NotFoundError for an unknown task type.
        """
        task = task_type(command.task)
        batch, drafts = await self._judge(task, command)
        preflight = Preflight(
            items=[item.shown() for item in batch.items],
            problems=list(batch.problems),
            may_start=batch.may_start,
        )
        if command.dry_run or not batch.may_start:
            return RunStarted(run_id=None, preflight=preflight, revision=self._hub.revision)
        run = NewRun(
            id=new_id(),
            name=command.name or _name(task),
            task=task.kind,
            parameters=command.parameters,
            targets=command.targets.model_dump(mode="json"),
            created_at=time.time(),
        )
        stored = await self._store.write(
            partial(_store_run, run=run, drafts=drafts, placements=dict(batch.placements))
        )
        revision = self._hub.touch(stored.touched)
        self._fleet.wake({item.agent.id for item in batch.items})
        return RunStarted(run_id=run.id, preflight=preflight, revision=revision)

    async def control(self, run_id: str, command: ControlRun) -> Changed:
        """Pause, resume, cancel or retry a run's items; what is refused comes back with why."""
        await self._store.read(partial(runs.row, run_id=run_id))
        if command.verb == "retry":
            return await self._retry(run_id, command.item_ids)
        refused: dict[str, WireError] = {}
        find = partial(self._items, run_id, command.item_ids, refused)
        return await self._steer(command.verb, find, refused, is_named=command.item_ids is not None)

    async def control_work(self, command: ControlWork) -> Changed:
        """Pause, resume or cancel the unfinished items of accounts or agents, whatever the run."""

        async def find() -> list[ItemRecord]:
            return await self._store.read(
                partial(items.of_work, account_ids=command.account_ids, agent_ids=command.agent_ids)
            )

        return await self._steer(command.verb, find, {}, is_named=False)

    async def _steer(
        self,
        verb: Verb,
        find: Callable[[], Awaitable[list[ItemRecord]]],
        refused: dict[str, WireError],
        *,
        is_named: bool,
    ) -> Changed:
        at_agents: defaultdict[str, list[ItemRecord]] = defaultdict(list)
        here: list[ItemRecord] = []
        # Nothing is handed over between the look at an item and what follows from it.
        async with self._fleet.deciding:
            for item in await find():
                if refusal := _refusal(verb, item, is_named=is_named):
                    refused[item.id] = refusal
                elif not _fits(verb, item):
                    continue
                elif item.is_away:
                    at_agents[item.agent_id or ""].append(item)
                else:
                    here.append(item)
            away = [item.id for each in at_agents.values() for item in each]
            ids = [item.id for item in here]
            touched = await self._store.write(
                partial(_steer_here, verb=verb, here=ids, at_agents=away)
            )
        self._hub.touch(touched)
        postponed: dict[str, WireError] = {}
        for agent_id, found in at_agents.items():
            for item_id, why in (await self._ask_agent(agent_id, verb, found)).items():
                waits = is_postponed(verb, why) or why.code == AgentUnreachableError.code
                (postponed if waits else refused)[item_id] = why
        self._fleet.wake({item.agent_id for item in here if item.agent_id})
        done = [*ids, *(item_id for item_id in away if item_id not in refused)]
        return Changed(revision=self._hub.revision, ids=done, refused=refused, postponed=postponed)

    async def _ask_agent(
        self, agent_id: str, verb: Verb, found: Sequence[ItemRecord]
    ) -> dict[str, WireError]:
        """Ask now where the agent is there; where it is not, the stored wish waits for it.

        Returns what was refused, or waits for the agent, and why, by item id.
        """
        now = [item.id for item in found if item.accepted]
        if len(now) < len(found):
            self._fleet.wake([agent_id])  # it may not have heard of these yet
        try:
            return await self._fleet.control(agent_id, verb, now) if now else {}
        except FlotillaError as away:
            return dict.fromkeys(now, _hears_later(verb, away))

    async def _retry(self, run_id: str, item_ids: Collection[str] | None) -> Changed:
        refused: dict[str, WireError] = {}
        found = await self._items(run_id, item_ids, refused)
        failed = [item for item in found if item.state is ItemState.FAILED]
        for item in found:
            if item_ids is not None and item.state is not ItemState.FAILED:
                refused[item.id] = _not_failed(item)
        agent_of = await self._agents_for(failed, refused)
        ids = [item.id for item in failed if item.id in agent_of]
        work = partial(_store_retry, ids=ids, agent_of=agent_of, at=time.time())
        touched = await self._store.write(work)
        revision = self._hub.touch(touched)
        for item in failed:
            if item.id not in touched.items and item.id not in refused:
                refused[item.id] = _may_have_happened(item)
        self._fleet.wake(set(agent_of.values()))
        return Changed(revision=revision, ids=sorted(touched.items), refused=refused)

    async def _agents_for(
        self, failed: Collection[ItemRecord], refused: dict[str, WireError]
    ) -> dict[str, str]:
        """Return the agent of each item: its account's, or another where that one is gone.

        An account of which its agent has unfinished items stays where it is.
        """
        ids = {item.account_id for item in failed}
        known = await self._store.read(partial(accounts.records, ids=ids))
        busy = await self._store.read(partial(_busy_accounts, ids=ids))
        options = self._fleet.options(await self._store.read(agents.records))
        agent_of = agents_for(failed, known, options)
        for item in failed:
            account = known.get(item.account_id)
            if account is None:
                refused[item.id] = _gone(item)
            elif item.id not in agent_of:
                refused[item.id] = _no_agent(item)
            elif account.id in busy and agent_of[item.id] != account.agent_id:
                refused[item.id] = _busy(item)
                del agent_of[item.id]
        return agent_of

    async def _judge(self, task: TaskType, command: RunTask) -> tuple[Batch, list[NewItem]]:
        parameters, problems = read_parameters(task, command.parameters)
        if parameters is None:
            return Batch(problems=tuple(problems)), []
        facts = await self._store.read(partial(_read_facts, command=command))
        given = BatchInput(
            task=task,
            accounts=facts.accounts,
            agents=self._fleet.options(facts.agents),
            media=facts.media,
            media_titles=facts.media_titles,
            limits=self._limits,
            busy=facts.busy,
        )
        batch = await asyncio.to_thread(judge, parameters, given)
        drafts = [_draft(item) for item in batch.items]
        claims = [draft.claim for draft in drafts if draft.claim]
        taken = await self._store.read(partial(intents.find_duplicates, claims=claims))
        found = [*_unknown_targets(command.targets, facts.accounts), *_taken(drafts, taken)]
        return Batch(batch.items, (*found, *batch.problems), batch.placements), drafts

    async def _items(
        self, run_id: str, item_ids: Collection[str] | None, refused: dict[str, WireError]
    ) -> list[ItemRecord]:
        found = await self._store.read(partial(items.of_run, run_id=run_id))
        if item_ids is None:
            return found
        for item_id in set(item_ids) - {item.id for item in found}:
            missing = NotFoundError("There is no such item in this run.", subject=item_id)
            refused[item_id] = missing.to_wire()
        return [item for item in found if item.id in set(item_ids)]


def _read_facts(connection: Connection, command: RunTask) -> _Facts:
    targets = command.targets
    rows = media.rows(connection, media_named_in(command.parameters))
    found = accounts.targets(
        connection, ids=targets.account_ids, usernames=targets.usernames, tags=targets.tags
    )
    return _Facts(
        accounts=found,
        busy=_busy_accounts(connection, {account.id for account in found}),
        agents=agents.records(connection),
        media={sha256: media.ref_of(row) for sha256, row in rows.items()},
        media_titles={sha256: row.title for sha256, row in rows.items()},
    )


def _busy_accounts(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Return those of the accounts of which an agent has, or may have, unfinished items."""
    found = items.of_work(connection, account_ids=ids, agent_ids=())
    return frozenset(item.account_id for item in found if item.is_away)


def _store_run(
    connection: Connection, run: NewRun, drafts: Sequence[NewItem], placements: dict[str, str]
) -> RunStored:
    """Store a run with its placements: all of it or nothing."""
    placed = accounts.assign(connection, placements)
    stored = runs.insert(connection, run, drafts, at=run.created_at)
    return RunStored(placed | stored.touched, stored.refused)


def _store_retry(
    connection: Connection, ids: Collection[str], agent_of: dict[str, str], at: float
) -> Touched:
    """Begin new attempts; an account whose agent is gone moves, with a higher fence."""
    of_items = items.records(connection, ids)
    moved = accounts.assign(
        connection, {item.account_id: agent_of[item.id] for item in of_items.values()}
    )
    return moved | items.retry(connection, ids, at=at, agent_of=agent_of)


def _steer_here(
    connection: Connection, verb: Verb, here: Collection[str], at_agents: Collection[str]
) -> Touched:
    """Steer what no agent has yet, and store what is asked of the agents."""
    states: dict[Verb, ItemState] = {
        "pause": ItemState.PAUSED,
        "resume": ItemState.QUEUED,
        "cancel": ItemState.CANCELLED,
    }
    if verb == "cancel":
        intents.shelve(connection, here)
    touched = items.move(connection, here, states[verb], at=time.time())
    touched |= items.want(connection, here, None)
    return touched | items.want(connection, at_agents, WISH_OF_VERB[verb])


def _draft(item: BatchItem) -> NewItem:
    item_id = new_id()
    return NewItem(
        id=item_id,
        account_id=item.account.id,
        username=item.account.username,
        agent_id=item.agent.id,
        title=item.planned.title,
        driver=item.choice.driver,
        driver_reason=item.choice.reason,
        parameters=item.planned.parameters,
        claim=_claim(item, item_id),
    )


def _claim(item: BatchItem, item_id: str) -> IntentClaim | None:
    publish = item.planned.publish
    if publish is None:
        return None
    return IntentClaim(
        account_id=item.account.id,
        username=item.account.username,
        item_id=item_id,
        content_key=publish.content_key,
        placement=publish.placement,
        kind=publish.kind,
        caption=publish.caption,
        media=tuple(file.sha256 for file in publish.media),
    )


def _name(task: TaskType) -> str:
    return f"{task.title}, {time.strftime('%d %b %H:%M')}"


def _unknown_targets(
    targets: Targets, found: Collection[AccountRecord]
) -> Iterable[PreflightProblem]:
    ids, names = {each.id for each in found}, {each.username for each in found}
    tags = {tag for each in found for tag in each.tags}
    for username in targets.usernames:
        if username.lower() not in names:
            yield error("targets", f"There is no account @{username}.", username)
    if missing := [id_ for id_ in targets.account_ids if id_ not in ids]:
        yield error("targets", f"{len(missing)} of the chosen accounts are no longer there.")
    for tag in targets.tags:
        if tag not in tags:
            yield error("targets", f"No account has the tag “{tag}”.")


def _taken(
    drafts: Sequence[NewItem], taken: Mapping[str, ConflictError]
) -> Iterable[PreflightProblem]:
    for draft in drafts:
        if draft.id in taken:
            text = f"{taken[draft.id].message} It will be skipped."
            yield warning("media", text, draft.username, subject=draft.title)
    if drafts and len(taken) == len(drafts):
        yield error("media", "Everything in this batch is published already, or on its way.")


def _refusal(verb: Verb, item: ItemRecord, *, is_named: bool) -> WireError | None:
    """Say why an item that was meant is left as it is."""
    undone = {"cancel": "cancelled", "resume": "resumed"}.get(verb)
    if undone and _fits(verb, item) and _is_past_return(verb, item):
        return ConflictError(
            f"The post of @{item.username} is past the point of no return: it may already be out, "
            f"so it cannot be {undone}.",
            subject=item.username,
            advice="Wait for the verdict; where only you can give it, a card asks for it.",
        ).to_wire()
    if is_named and not _fits(verb, item):
        return ConflictError(
            f"The item of @{item.username} is {item.state}; it cannot be asked to {verb}.",
            subject=item.username,
        ).to_wire()
    return None


def _is_past_return(verb: Verb, item: ItemRecord) -> bool:
    """Say whether an item's post may exist, and nothing can be asked of it but a verdict.

    A cancel may always be asked while an agent is to give that verdict: it waits for it.
    """
    if item.action is ActionState.UNRESOLVED:
        return True
    return verb == "resume" and item.is_away and item.action in _DOUBTED


def _fits(verb: Verb, item: ItemRecord) -> bool:
    if verb == "pause":
        return item.state in _PAUSABLE and item.wanted != WISH_OF_VERB["cancel"]
    if verb == "resume":
        return item.state is ItemState.PAUSED or item.wanted == WISH_OF_VERB["pause"]
    return item.state not in ITEM_FINAL


def _hears_later(verb: Verb, away: FlotillaError) -> WireError:
    return AgentUnreachableError(
        f"The agent is away; it hears of the {verb} when it is back.",
        advice=away.message,
    ).to_wire()


def _not_failed(item: ItemRecord) -> WireError:
    return ConflictError(
        f"The item of @{item.username} has not failed; only failed items are retried.",
        subject=item.username,
    ).to_wire()


def _may_have_happened(item: ItemRecord) -> WireError:
    return ConflictError(
        f"The post of @{item.username} may already be out, or is part of another run.",
        subject=item.username,
        advice="Look at its ledger before you decide.",
    ).to_wire()


def _gone(item: ItemRecord) -> WireError:
    return NotFoundError(
        f"The account @{item.username} is no longer in the store.", subject=item.username
    ).to_wire()


def _busy(item: ItemRecord) -> WireError:
    return ConflictError(
        f"The agent of @{item.username} cannot do this, and has unfinished items of it.",
        subject=item.username,
        advice="Wait for them, or move the account.",
    ).to_wire()


def _no_agent(item: ItemRecord) -> WireError:
    return ConflictError(
        f"No paired agent has the driver {item.driver} for @{item.username}.",
        subject=item.username,
        advice="Pair an agent that has it.",
    ).to_wire()
