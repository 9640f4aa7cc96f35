"""Moves of accounts from agent to agent, and agents that drain.

An account belongs to one agent. It leaves it only when nothing of it is there any more, when the
agent has stopped by its own rule, or on the operator's word; and then it has a higher fence.
"""

import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from common.errors import ConflictError, NotFoundError, WireError
from desktop_app.contract.accounts import MoveAccounts, MoveResult
from desktop_app.contract.agents import DrainAgent
from desktop_app.contract.base import Changed
from desktop_app.core.changes import ChangeHub
from desktop_app.core.fleet import Fleet
from desktop_app.core.placing import has_stopped, risk_of
from desktop_app.store import accounts, agents, items, moving, rehoming, settling
from desktop_app.store.records import AccountRecord, AgentRecord, ItemRecord
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched

_ADVICE = (
    "Start it and let it drain, or accept the risk: the next agent looks for what may have been "
    "sent before it publishes."
)
_MOVED = ConflictError("The account was moved while the agent had this item.").to_wire()


@dataclass(slots=True)
class _Verdicts:
    """What becomes of each account of a move."""

    now: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    refused: dict[str, WireError] = field(default_factory=dict)
    left_behind: set[str] = field(default_factory=set)
    """Agents that have unfinished items of accounts which leave them now."""
    still_at_work: set[str] = field(default_factory=set)
    """Accounts whose agent has not stopped: it may be sending a post of theirs right now."""


class MoveService:
    """Moves accounts, and lets agents drain."""

    def __init__(self, store: Store, hub: ChangeHub, fleet: Fleet) -> None:
        self._store = store
        self._hub = hub
        self._fleet = fleet

    async def move(self, command: MoveAccounts) -> MoveResult:
        """Give accounts to an agent, now or when their own has ended what it holds.

        Raises NotFoundError for the agent, and ConflictError where it cannot take accounts.
        """
        target = await self._store.read(partial(agents.record, agent_id=command.agent_id))
        _require_able(target)
        async with self._fleet.deciding:
            verdicts = await self._judge(command, target)
            touched = await self._store.write(partial(self._carry_out, command, verdicts))
        self._fleet.moving_changed(await self._store.read(moving.agents_left))
        revision = self._hub.touch(touched)
        self._fleet.compare_again(verdicts.left_behind)
        self._fleet.wake_all()
        return MoveResult(
            moved=[*verdicts.now, *verdicts.there],
            draining=verdicts.later,
            refused=verdicts.refused,
            revision=revision,
        )

    async def drain(self, command: DrainAgent) -> Changed:
        """Give an agent nothing new, or let it have work again; raises NotFoundError."""
        await self._store.read(partial(agents.record, agent_id=command.id))
        work = partial(agents.set_draining, agent_id=command.id, drain=command.drain)
        revision = self._hub.touch(await self._store.write(work))
        self._fleet.wake([command.id])
        return Changed(revision=revision, ids=[command.id])

    async def _judge(self, command: MoveAccounts, target: AgentRecord) -> _Verdicts:
        known = await self._store.read(partial(accounts.records, ids=command.ids))
        records = {record.id: record for record in await self._store.read(agents.records)}
        open_items: defaultdict[str, list[ItemRecord]] = defaultdict(list)
        work = partial(items.of_work, account_ids=list(known), agent_ids=())
        for item in await self._store.read(work):
            open_items[item.account_id].append(item)
        verdicts = _Verdicts()
        for account_id in command.ids:
            account = known.get(account_id)
            if account is None:
                gone = NotFoundError("There is no such account.", subject=account_id)
                verdicts.refused[account_id] = gone.to_wire()
                continue
            source = records.get(account.agent_id or "")
            self._judge_one(account, open_items[account_id], source, target, command, verdicts)
        return verdicts

    def _judge_one(
        self,
        account: AccountRecord,
        open_items: Collection[ItemRecord],
        source: AgentRecord | None,
        target: AgentRecord,
        command: MoveAccounts,
        verdicts: _Verdicts,
    ) -> None:
        held = [item for item in open_items if item.is_away]
        if refusal := _unable(account, open_items, target):
            verdicts.refused[account.id] = refusal
        elif source is not None and source.id == target.id:
            verdicts.there.append(account.id)
        elif source is None or not held or command.accept_risk or self._has_stopped(source):
            verdicts.now.append(account.id)
            verdicts.left_behind.update(item.agent_id for item in held if item.agent_id)
            if source is not None and not self._has_stopped(source):
                verdicts.still_at_work.add(account.id)
        elif self._fleet.is_online(source.id):
            verdicts.later.append(account.id)
        else:
            verdicts.refused[account.id] = risk_of(
                source,
                held,
                last_seen=self._fleet.last_seen(source),
                now=time.time(),
                advice=_ADVICE,
            )

    def _has_stopped(self, agent: AgentRecord) -> bool:
        if self._fleet.is_online(agent.id):
            return False
        return has_stopped(agent, last_seen=self._fleet.last_seen(agent), now=time.time())

    def _carry_out(
        self, command: MoveAccounts, verdicts: _Verdicts, connection: Connection
    ) -> Touched:
        at = time.time()
        found = items.of_work(connection, account_ids=verdicts.now, agent_ids=())
        agent_of = dict.fromkeys((item.id for item in found), command.agent_id)
        touched = settling.take_from_agent(connection, found, agent_of, at=at, error=_MOVED)
        doubtful = [item for item in found if item.account_id in verdicts.still_at_work]
        touched |= rehoming.wait_out(connection, doubtful, at=at)
        touched |= accounts.assign(connection, dict.fromkeys(verdicts.now, command.agent_id))
        touched |= accounts.set_moving(connection, verdicts.there, None)
        return touched | accounts.set_moving(connection, verdicts.later, command.agent_id)


def _require_able(target: AgentRecord) -> None:
    if not target.is_ours or target.card is None:
        raise ConflictError(
            f"The agent {target.name} cannot take accounts: it never worked for this desktop.",
            subject=target.name,
            advice="Start it, and wait until it is connected.",
        )
    if target.is_draining:
        raise ConflictError(
            f"The agent {target.name} is draining.",
            subject=target.name,
            advice="Choose another agent, or let this one have work again.",
        )


def _unable(
    account: AccountRecord, open_items: Collection[ItemRecord], target: AgentRecord
) -> WireError | None:
    drivers = set(target.card.drivers) if target.card else set()
    missing = sorted({item.driver.value for item in open_items} - drivers)
    if not missing:
        return None
    return ConflictError(
        f"The agent {target.name} has no driver {missing[0]}, which items of "
        f"@{account.username} need.",
        subject=account.username,
        advice="Choose another agent, or cancel those items first.",
    ).to_wire()
