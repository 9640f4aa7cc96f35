"""One agent as the desktop meets it: its journal of one item and its post, and what it tells.

It follows `agent/jobs`: what it takes over, refuses, cancels and looks for. It decides nothing that
the tables of `common.domain.transitions` do not allow.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from common.domain.states import ActionState, ItemState
from common.domain.transitions import (
    IN_DOUBT_STATES,
    ITEM_FINAL,
    may_action_become,
    may_item_become,
    require_action_step,
    require_item_step,
)

NOT_SENT = frozenset({ActionState.PLANNED, ActionState.PREPARED, ActionState.PROVEN_ABSENT})
UNDECIDED = IN_DOUBT_STATES - {ActionState.UNRESOLVED}
_WAITING = (ItemState.ASSIGNED, ItemState.PAUSED)


@dataclass(frozen=True)
class Event:
    """What an agent tells."""

    attempt: int
    state: ItemState | ActionState


@dataclass
class Platform:
    """Where the post is, or is not."""

    has_post: bool = False


@dataclass
class Agent:
    """What one agent has journaled, and what it has told of it."""

    platform: Platform
    attempt: int = 0
    item: ItemState = ItemState.CANCELLED
    action: ActionState = ActionState.PLANNED
    is_cancel_asked: bool = False
    told: list[Event] = field(default_factory=list)
    cursor: int = 0
    """How much of that the store has applied."""
    heard_in: int = 0
    """The generation of the store in which both were compared last."""

    @property
    def holds(self) -> bool:
        """Say whether it has an attempt that has not ended."""
        return self.attempt > 0 and self.item not in ITEM_FINAL

    # --- what it is told --------------------------------------------------------------------------

    def accept(self, attempt: int, *, in_doubt: bool) -> bool:
        """Take an attempt over; False where it refuses."""
        if self.attempt >= attempt:
            self.tell_again()
            return self.attempt == attempt
        if self.holds or (self.action not in NOT_SENT and not in_doubt):
            return False
        self.attempt, self.item, self.is_cancel_asked = attempt, ItemState.QUEUED, False
        self.set_item(ItemState.ASSIGNED)
        if self.action in NOT_SENT:
            self.action = ActionState.PLANNED
        if in_doubt and self.action is ActionState.CONFIRMED:
            self._tell(self.action)
        elif in_doubt and self.action is not ActionState.IN_DOUBT:
            self.set_action(ActionState.IN_DOUBT)
        return True

    def cancel(self) -> None:
        """Give the item up; what may be there needs its verdict first."""
        in_doubt = self.action in UNDECIDED
        if not self.holds:
            return
        if self.item is ItemState.RUNNING or (in_doubt and self.item in _WAITING):
            self.is_cancel_asked = True
            if self.item is ItemState.PAUSED:
                self.set_item(ItemState.ASSIGNED)
            return
        if in_doubt:
            self._doubt()
            self.set_action(ActionState.UNRESOLVED)
        self.set_item(ItemState.CANCELLED)

    def hear_that_it_is_there(self) -> bool:
        """Take the word that the post exists; False where it has no such item."""
        if not self.attempt:
            return False
        if self.action is ActionState.CONFIRMED:
            self._tell(self.item)
            return True
        if self.item is ItemState.RUNNING:
            return True
        if self.action in NOT_SENT:
            self.set_action(ActionState.IN_DOUBT)
        self.set_action(ActionState.CONFIRMED)
        if self.holds:
            self.end_as_done()
        return True

    def hear_that_it_is_absent(self) -> None:
        """Take a person's word that the post does not exist."""
        if self.action in NOT_SENT or self.action is ActionState.CONFIRMED:
            return
        if self.item is ItemState.RUNNING:
            return
        if self.action is not ActionState.UNRESOLVED:
            self._doubt()
            self.set_action(ActionState.RECONCILING)
        self.set_action(ActionState.PROVEN_ABSENT)
        if self.item is ItemState.NEEDS_OPERATOR:
            end = ItemState.CANCELLED if self.is_cancel_asked else ItemState.ASSIGNED
            self.set_item(end)

    # --- what it does by itself -------------------------------------------------------------------

    def may_move_item(self, state: ItemState) -> bool:
        """Say whether the item may go there, by the table and by what its post is."""
        if not self.holds or not may_item_become(self.item, state):
            return False
        if state is ItemState.DONE:
            return self.action is ActionState.CONFIRMED
        return state not in ITEM_FINAL or self.action in NOT_SENT

    def may_move_action(self, state: ActionState) -> bool:
        """Say whether the post may go there, by the table and by what the platform shows."""
        if self.item is not ItemState.RUNNING or not may_action_become(self.action, state):
            return False
        if state in (ActionState.SENDING, ActionState.PROVEN_ABSENT):
            return not self.platform.has_post  # it looks before it sends
        return state is not ActionState.CONFIRMED or self.platform.has_post

    def settle(self) -> None:
        """Bring what is in doubt, or was cancelled, to its end; only a person ends the rest."""
        is_asked = self.is_cancel_asked and self.item is ItemState.RUNNING
        if not self.holds or not (is_asked or self.action in (*UNDECIDED, ActionState.CONFIRMED)):
            return
        if self.item is not ItemState.RUNNING:
            self._assign()
            self.set_item(ItemState.RUNNING)
        if self.action in UNDECIDED:
            self._doubt()
            self.set_action(ActionState.RECONCILING)
            has_post = self.platform.has_post
            self.set_action(ActionState.CONFIRMED if has_post else ActionState.PROVEN_ABSENT)
        if self.action is ActionState.CONFIRMED:
            self.set_item(ItemState.DONE)
        elif self.action is ActionState.UNRESOLVED:
            self.set_item(ItemState.NEEDS_OPERATOR)
        elif self.is_cancel_asked:
            self.set_item(ItemState.CANCELLED)

    def end_as_done(self) -> None:
        """End an item that is not running, since its post exists."""
        if self.item in _WAITING or self.item is ItemState.MISSED:
            self._assign()
            self.set_item(ItemState.INTERRUPTED)
        self.set_item(ItemState.DONE)

    # --- what it writes ---------------------------------------------------------------------------

    def set_item(self, state: ItemState) -> None:
        require_item_step(self.item, state)
        self.item = state
        self._tell(state)

    def set_action(self, state: ActionState) -> None:
        require_action_step(self.action, state)
        self.action = state
        self._tell(state)

    def tell_again(self) -> None:
        """Say how it stands with an attempt that it is offered once more."""
        if self.action is not ActionState.PLANNED:
            self._tell(self.action)
        self._tell(self.item)

    def _assign(self) -> None:
        if self.item is not ItemState.ASSIGNED:
            self.set_item(ItemState.ASSIGNED)

    def _doubt(self) -> None:
        if self.action is not ActionState.IN_DOUBT:
            self.set_action(ActionState.IN_DOUBT)

    def _tell(self, state: ItemState | ActionState) -> None:
        self.told.append(Event(self.attempt, state))
