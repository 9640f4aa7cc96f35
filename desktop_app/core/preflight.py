"""Judges a whole batch before anything starts: who does what, by what driver, and where. Pure.

What the store knows (accounts, agents, files) comes in as values; nothing here reads or changes it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue, ValidationError

from common.domain.accounts import DriverName
from common.drivers import DriverChoice, choose_driver
from common.errors import FlotillaError
from common.items import MediaRef
from common.limits.rules import Limits
from common.operations import Operation
from common.placement import place
from common.tasks.task_type import (
    PlanAccount,
    PlanContext,
    PlannedItem,
    PlanProblem,
    TaskParameters,
    TaskType,
)
from desktop_app.contract.runs import PreflightItem, PreflightProblem
from desktop_app.store.records import AccountRecord

_SHA256 = re.compile(r"^[0-9a-f]{64}$")


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentOption:
    """A paired agent as placement sees it."""

    id: str
    name: str
    drivers: frozenset[DriverName]
    tasks: frozenset[str]
    capacity: float
    is_online: bool
    is_draining: bool = False
    """True where it gets nothing new."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchInput:
    """Everything that a judgement may look at."""

    task: TaskType
    accounts: Sequence[AccountRecord]
    agents: Sequence[AgentOption]
    media: Mapping[str, MediaRef]
    media_titles: Mapping[str, str]
    limits: Limits
    busy: frozenset[str] = frozenset()
    """Accounts of which their agent has unfinished items: they stay where they are."""


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One item with its driver and agent."""

    planned: PlannedItem
    account: AccountRecord
    choice: DriverChoice
    agent: AgentOption

    def shown(self) -> PreflightItem:
        """Return the item as the preflight shows it."""
        publish = self.planned.publish
        return PreflightItem(
            account_id=self.account.id,
            username=self.account.username,
            title=self.planned.title,
            driver=self.choice.driver,
            driver_reason=self.choice.reason,
            agent=self.agent.name,
            post_kind=publish.kind if publish else None,
            caption=publish.caption if publish else "",
            media=[file.sha256 for file in publish.media] if publish else [],
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """A judged batch."""

    items: tuple[BatchItem, ...] = ()
    problems: tuple[PreflightProblem, ...] = ()
    placements: Mapping[str, str] = field(default_factory=dict)
    """Agent by account, for accounts that get one now."""

    @property
    def may_start(self) -> bool:
        """True when there is something to do and nothing in it is an error."""
        return bool(self.items) and all(each.severity != "error" for each in self.problems)


def read_parameters(
    task: TaskType, raw: Mapping[str, JsonValue]
) -> tuple[TaskParameters | None, list[PreflightProblem]]:
    """Return the parameters as the task type's value, or what is wrong with them."""
    try:
        return task.parameters.model_validate(raw), []
    except ValidationError as invalid:
        found = invalid.errors(include_url=False, include_input=False, include_context=False)
    return None, [
        error(".".join(str(part) for part in each["loc"]), f"{each['msg']}.") for each in found
    ]


def media_named_in(raw: object) -> set[str]:
    """Return every SHA-256 that task parameters name, wherever it stands."""
    if isinstance(raw, str):
        return {raw} if _SHA256.match(raw) else set()
    if isinstance(raw, Mapping):
        return set().union(*(media_named_in(value) for value in raw.values()))
    if isinstance(raw, Sequence):
        return set().union(*(media_named_in(value) for value in raw))
    return set()


def judge(parameters: TaskParameters, given: BatchInput) -> Batch:
    """Plan a batch and say everything that is wrong with it."""
    problems: list[PreflightProblem] = []
    accounts = list(_usable(given, problems))
    by_id = {account.id: account for account in accounts}
    plan = given.task.plan(parameters, _context(given, accounts))
    problems += [_shown(problem) for problem in plan.problems]
    if not plan.items and not any(problem.severity == "error" for problem in problems):
        problems.append(error("targets", "No account is left to do this with."))
    places = _Places(given, getattr(parameters, "driver", None))
    items = []
    for planned in plan.items:
        found = places.of(by_id[planned.account_id])
        if found is not None:
            items.append(BatchItem(planned, by_id[planned.account_id], *found))
    problems += places.problems
    problems += _needs(parameters, given.task, items)
    problems += _waiting(items)
    return Batch(tuple(items), tuple(problems), places.new)


class _Places:
    """Driver and agent per account, decided once for all its items."""

    def __init__(self, given: BatchInput, task_preference: DriverName | None) -> None:
        self.problems: list[PreflightProblem] = []
        self.new: dict[str, str] = {}
        self._given = given
        self._task_preference = task_preference
        self._decided: dict[str, tuple[DriverChoice, AgentOption] | None] = {}
        self._agents = {agent.id: agent for agent in given.agents if given.task.kind in agent.tasks}

    def of(self, account: AccountRecord) -> tuple[DriverChoice, AgentOption] | None:
        if account.id not in self._decided:
            self._decided[account.id] = self._decide(account)
        return self._decided[account.id]

    def _decide(self, account: AccountRecord) -> tuple[DriverChoice, AgentOption] | None:
        if not self._agents:
            if not self.problems:
                self.problems.append(self._no_agent())
            return None
        candidates = self._candidates(account)
        try:
            choice = choose_driver(
                self._given.task.operations,
                task_preference=self._task_preference,
                account_preference=account.driver,
                at_agent=frozenset().union(*(agent.drivers for agent in candidates)),
            )
        except FlotillaError as refusal:
            text = f"{refusal.message} {refusal.advice}".strip()
            self.problems.append(error("driver", text, account.username))
            return None
        agent = self._place(account, choice.driver, candidates)
        return (choice, agent) if agent else None

    def _candidates(self, account: AccountRecord) -> list[AgentOption]:
        """The agent that has the account already, else every agent that knows the task."""
        known = self._agents.get(account.agent_id or "")
        return [known] if known else list(self._agents.values())

    def _place(
        self, account: AccountRecord, driver: DriverName, candidates: Iterable[AgentOption]
    ) -> AgentOption | None:
        able = {agent.id: agent.capacity for agent in candidates if driver in agent.drivers}
        if account.agent_id in able:
            return self._agents[account.agent_id or ""]
        if account.agent_id is not None and account.id in self._given.busy:
            text = (
                f"The agent of @{account.username} cannot do this, and has unfinished items of it. "
                "Wait for them, or move the account."
            )
            self.problems.append(error("agents", text, account.username))
            return None
        fresh = {each: weight for each, weight in able.items() if not self._is_draining(each)}
        if not fresh:
            text = "Every agent that could do this is draining. Let one have work again."
            self.problems.append(error("agents", text, account.username))
            return None
        capable = {agent_id: capacity for agent_id, capacity in fresh.items() if capacity > 0}
        agent_id = place(account.id, capable or dict.fromkeys(fresh, 1.0))
        self.new[account.id] = agent_id
        return self._agents[agent_id]

    def _is_draining(self, agent_id: str) -> bool:
        return self._agents[agent_id].is_draining

    def _no_agent(self) -> PreflightProblem:
        if not self._given.agents:
            text = (
                "No agent is paired to work for this desktop. Pair one with the line that "
                "`flotilla-agent pair` prints; one that another desktop owns prints it with "
                "--take-over."
            )
        else:
            text = f"No paired agent knows the task {self._given.task.title!r}. Update the agents."
        return error("agents", text)


def _usable(given: BatchInput, problems: list[PreflightProblem]) -> Iterable[AccountRecord]:
    """Leave held accounts out; a sign-in may lift a hold that the platform caused."""
    signs_in = Operation.SIGN_IN in given.task.operations
    for account in given.accounts:
        if account.held and not (signs_in and account.held_by_platform):
            reason = f": {account.hold_reason.removesuffix('.')}" if account.hold_reason else ""
            text = f"@{account.username} is held{reason}. It is left out."
            problems.append(warning("targets", text, account.username))
        else:
            yield account


def _needs(
    parameters: TaskParameters, task: TaskType, items: Sequence[BatchItem]
) -> Iterable[PreflightProblem]:
    """Name accounts that lack what their items need."""
    force = bool(getattr(parameters, "force", False))
    for account, driver in {item.account.id: _who(item) for item in items}.values():
        has_session = driver in account.sessions
        if Operation.SIGN_IN in task.operations:
            if not account.has_password and (force or not has_session):
                text = f"@{account.username} has no password, so it cannot be signed in."
                yield error("password", text, account.username)
        elif not has_session:
            text = (
                f"@{account.username} has no saved session for {driver}, and will fail. "
                "Run a bulk login first."
            )
            yield warning("session", text, account.username)


def _who(item: BatchItem) -> tuple[AccountRecord, DriverName]:
    return item.account, item.choice.driver


def _waiting(items: Sequence[BatchItem]) -> Iterable[PreflightProblem]:
    """Name agents that take nothing at the moment."""
    counts = Counter(item.agent.id for item in items)
    for agent in {item.agent.id: item.agent for item in items}.values():
        why = "is draining" if agent.is_draining else "is not connected"
        if agent.is_draining or not agent.is_online:
            text = f"The agent {agent.name} {why}: {counts[agent.id]} items wait for it."
            yield warning("agents", text)


def _context(given: BatchInput, accounts: Collection[AccountRecord]) -> PlanContext:
    return PlanContext(
        accounts=[
            PlanAccount(
                account_id=account.id,
                username=account.username,
                full_name=account.full_name,
                platform=account.platform,
                tags=account.tags,
            )
            for account in accounts
        ],
        media=given.media,
        media_titles=given.media_titles,
        limits=given.limits,
    )


def _shown(problem: PlanProblem) -> PreflightProblem:
    return PreflightProblem(
        severity=problem.problem.severity,
        field=problem.problem.field,
        message=problem.problem.message,
        username=problem.username,
        post=problem.post,
        subject=problem.problem.subject,
    )


def error(field: str, message: str, username: str = "", **more: Any) -> PreflightProblem:
    """Return a problem that keeps the batch from starting."""
    return PreflightProblem(
        severity="error", field=field, message=message, username=username, **more
    )


def warning(field: str, message: str, username: str = "", **more: Any) -> PreflightProblem:
    """Return a problem that the operator should know of."""
    return PreflightProblem(
        severity="warning", field=field, message=message, username=username, **more
    )
