"""What a task type is made of, and what planning a run of it takes and gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from common.domain.accounts import Platform
from common.domain.content import Placement, PostKind
from common.items import MediaRef
from common.limits.rules import Limits, Problem
from common.operations import Operation


class ItemUnit(StrEnum):
    """What one item of a run is about."""

    ACCOUNT = "account"
    ACCOUNT_POST = "account_post"


class TaskParameters(BaseModel):
    """The root of every task type's parameters: nothing unknown is let through."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class PlanAccount:
    """A target as planning sees it: no secrets."""

    account_id: str
    username: str
    full_name: str
    platform: Platform
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanContext:
    """Everything that planning may look at."""

    accounts: Sequence[PlanAccount]
    """The targets, in the operator's order."""
    media: Mapping[str, MediaRef]
    """The media library by SHA-256."""
    media_titles: Mapping[str, str]
    """The operator's title of each file, by SHA-256."""
    limits: Limits


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """What one item would publish."""

    kind: PostKind
    placement: Placement
    content_key: str
    media: tuple[MediaRef, ...]
    caption: str


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One unit of a run, before it has an id, a driver or an agent."""

    account_id: str
    title: str
    publish: PlannedPost | None = None
    parameters: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """A problem of the batch, with the place that it is about."""

    problem: Problem
    username: str = ""
    post: int | None = None
    """The post's position in the draft, from 1."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole batch, judged before anything starts."""

    items: tuple[PlannedItem, ...]
    problems: tuple[PlanProblem, ...] = ()

    @property
    def may_start(self) -> bool:
        """True when nothing in it is an error."""
        return bool(self.items) and all(p.problem.severity != "error" for p in self.problems)


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskType:
    """One task type as every side of the product knows it."""

    kind: str
    """Stable name on the wire, in the store and on the command line."""
    number: int
    """Stable integer of the HTTP routes."""
    title: str
    """Sentence case, as menus show it."""
    summary: str
    """One sentence: what it does."""
    icon: str
    """A file name in `resources/icons/lucide`, without the ending."""
    unit: ItemUnit
    operations: frozenset[Operation]
    """What a driver must be able to do to run an item."""
    parameters: type[TaskParameters]
    plan: Callable[[Any, PlanContext], Plan]
    """From parameters (of `parameters`' type) and context to items and problems. Pure."""
    examples: tuple[TaskParameters, ...]
    """Valid parameters, for tests and documentation."""
