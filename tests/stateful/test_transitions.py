"""Items and actions on both sides: what the store believes comes to agree with what the agents did.

One item and its post, two agents that may hold it one after the other, each with a stream of events
that arrives in order, late, and again after a history was lost. The agents follow the tables of
`common.domain.transitions`; the store applies its own rules over what it is told, and mends what
differs by its own comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from common.domain.accounts import DriverName
from common.domain.states import ActionState, ItemState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL, may_item_become
from common.protocol.messages import InventoryRow
from desktop_app.core.healing import compare
from desktop_app.store.inbox_rules import (
    does_end_free,
    does_intent_step_apply,
    does_item_step_apply,
    is_finished_by_its_post,
    is_word_heard,
    may_adopt,
    state_to_take,
)
from desktop_app.store.records import ItemRecord
from tests.stateful.agent_side import NOT_SENT, Agent, Event, Platform
from tests.stateful.machines import assert_caught, hold

AGENTS = st.sampled_from([0, 1])
NAMES = ("agent 0", "agent 1")
ROUNDS = 6
"""In so many meetings with each agent both sides have to agree."""


@dataclass
class View:
    """What the store believes."""

    holder: int = 0
    attempt: int = 1
    item: ItemState = ItemState.QUEUED
    is_offered: bool = False
    is_accepted: bool = False
    intent: ActionState = ActionState.PLANNED
    must_look: bool = False
    generation: int = 0

    @property
    def is_away(self) -> bool:
        return self.is_offered or self.is_accepted

    @property
    def in_doubt(self) -> bool:
        """Say whether whoever gets the item has to look before it publishes."""
        return self.must_look or self.intent in IN_DOUBT_STATES


class BothSides(RuleBasedStateMachine):
    """Two agents, and the store's view of the item and of its post."""

    def __init__(self) -> None:
        super().__init__()
        self.platform = Platform()
        self.agents = (Agent(self.platform), Agent(self.platform))
        self.view = View()
        self.last_attempt = 1
        self.meet(0)

    # --- what the store decides; a planted mistake replaces one of these -------------------------

    def does_item_apply(self, which: int, event: Event) -> bool:
        assert isinstance(event.state, ItemState)
        view = self.view
        is_holder = which == view.holder
        return is_holder and does_item_step_apply(
            view.item, view.attempt, event.state, event.attempt
        )

    def is_heard(self, which: int, event: Event) -> bool:
        assert isinstance(event.state, ActionState)
        return is_word_heard(
            event.state,
            is_holder=which == self.view.holder,
            attempt=self.view.attempt,
            reported_attempt=event.attempt,
            was_history_lost=lambda: self.view.generation > 0,
        )

    def does_intent_apply(self, then: ActionState) -> bool:
        return does_intent_step_apply(self.view.intent, then)

    def is_finished_by_its_post(self) -> bool:
        return is_finished_by_its_post(self.view.item)

    # --- what may happen -------------------------------------------------------------------------

    @rule(which=AGENTS, state=st.sampled_from(list(ItemState)))
    def move_item(self, which: int, state: ItemState) -> None:
        """An agent's item goes where the table and its post allow."""
        if self.agents[which].may_move_item(state):
            self.agents[which].set_item(state)

    @rule(which=AGENTS, state=st.sampled_from(list(ActionState)), arrives=st.booleans())
    def move_action(self, which: int, state: ActionState, arrives: bool) -> None:
        """So does its post; whether what was sent `arrives`, only the platform knows."""
        if self.agents[which].may_move_action(state):
            self.agents[which].set_action(state)
            self.platform.has_post |= arrives and state is ActionState.SENDING

    @rule(which=AGENTS)
    def settle(self, which: int) -> None:
        """An agent in doubt looks, and is not disturbed."""
        self.agents[which].settle()

    @rule(which=AGENTS, count=st.integers(1, 5))
    def tell(self, which: int, count: int) -> None:
        agent = self.agents[which]
        for event in agent.told[agent.cursor : agent.cursor + count]:
            agent.cursor += 1
            self.take(which, event)

    @rule(which=AGENTS, back=st.integers(1, 8))
    def tell_from_earlier(self, which: int, back: int) -> None:
        """A history begins anew behind what was applied: some of it comes again."""
        self.agents[which].cursor = max(0, self.agents[which].cursor - back)
        self.begin_generation()

    @rule(which=AGENTS)
    def lose_what_was_told(self, which: int) -> None:
        """A history begins anew ahead of what was applied: some of it never comes."""
        self.agents[which].cursor = len(self.agents[which].told)
        self.begin_generation()

    @rule(which=AGENTS)
    def meet(self, which: int) -> None:
        """A link begins: everything is told, both sides compare, and work is handed over."""
        agent = self.agents[which]
        self.tell(which, len(agent.told))
        self.heal(which, is_lost=agent.heard_in < self.view.generation)
        agent.heard_in = self.view.generation
        self.tell_that_it_is_there(which)
        if which == self.view.holder:
            self.hand_over(is_answer_lost=False)

    @rule(is_answer_lost=st.booleans())
    def hand_over(self, is_answer_lost: bool) -> None:
        """Offer the present attempt to the agent that is to have it."""
        view, agent = self.view, self.agents[self.view.holder]
        may_go = view.item is ItemState.QUEUED and not view.is_accepted
        if not may_go or view.intent is ActionState.CONFIRMED or not self.is_gate_open():
            return
        view.is_offered = True
        in_doubt = view.in_doubt
        has_it = agent.accept(view.attempt, in_doubt=in_doubt)
        if is_answer_lost:
            return
        if has_it:
            view.item, view.is_accepted = ItemState.ASSIGNED, True
        elif in_doubt:
            self.ask_person()
        else:
            view.item = ItemState.FAILED

    @rule()
    def move(self) -> None:
        """The operator gives the account to the other agent, on their own word."""
        view = self.view
        if view.item in ITEM_FINAL:
            return
        if view.intent is ActionState.CONFIRMED:
            self.finish()
            return
        is_new = view.is_away or view.intent in IN_DOUBT_STATES
        if view.is_away:
            self.doubt()
        view.attempt += is_new
        view.holder = 1 - view.holder
        view.is_offered = view.is_accepted = False

    @rule(moves=st.booleans())
    def retry(self, moves: bool) -> None:
        """The operator wants it again, here or at the other agent."""
        view = self.view
        if view.item not in ITEM_FINAL or view.intent not in NOT_SENT:
            return
        view.attempt += 1
        view.item = ItemState.QUEUED
        view.is_offered = view.is_accepted = False
        view.holder = 1 - view.holder if moves else view.holder

    @rule()
    def cancel(self) -> None:
        """The operator closes the item: here, or where it is."""
        view = self.view
        if view.item in ITEM_FINAL:
            return
        if view.is_away:
            self.agents[view.holder].cancel()
        elif may_item_become(view.item, ItemState.CANCELLED):
            if view.intent is ActionState.IN_DOUBT:
                view.intent, view.must_look = ActionState.PLANNED, True
            view.item = ItemState.CANCELLED

    @rule()
    def answer(self) -> None:
        """A person who is asked looks, and says how it is."""
        view, agent = self.view, self.agents[self.view.holder]
        if view.item in ITEM_FINAL or view.intent is not ActionState.UNRESOLVED:
            return
        if view.is_away and agent.attempt:
            if self.platform.has_post:
                agent.hear_that_it_is_there()
            else:
                agent.hear_that_it_is_absent()
        elif self.platform.has_post:
            view.intent, view.item = ActionState.CONFIRMED, ItemState.DONE
        else:
            view.intent, view.must_look = ActionState.PROVEN_ABSENT, True
            view.attempt += 1
            self.queue()

    # --- what the store does of all that ---------------------------------------------------------

    def take(self, which: int, event: Event) -> None:
        """Apply one event (`desktop_app.store.inbox`)."""
        if isinstance(event.state, ActionState):
            self.take_action(which, event, event.state)
        elif self.does_item_apply(which, event):
            self.take_item(event, event.state)

    def take_action(self, which: int, event: Event, then: ActionState) -> None:
        view = self.view
        if not self.is_heard(which, event):
            return
        if then in IN_DOUBT_STATES:
            view.must_look = False  # this agent knows of the doubt now
        if not self.does_intent_apply(then):
            return
        view.intent = then
        if then is ActionState.CONFIRMED and self.is_finished_by_its_post():
            view.item = ItemState.DONE

    def take_item(self, event: Event, then: ItemState) -> None:
        view = self.view
        view.item = state_to_take(then, view.intent)
        view.attempt, view.is_accepted = event.attempt, True
        if then in ITEM_FINAL and view.item not in ITEM_FINAL:
            view.is_offered = view.is_accepted = False  # for the agent it has ended
        elif does_end_free(view.item, view.intent):
            view.intent, view.must_look = ActionState.PLANNED, True

    def heal(self, which: int, *, is_lost: bool) -> None:
        """Compare with what an agent holds (`desktop_app.core.agent_work`)."""
        view, agent = self.view, self.agents[which]
        healing = compare(NAMES[which], [self.record()], self.inventory(agent))
        if is_lost and healing.held:
            view.item, view.attempt, view.is_accepted = agent.item, agent.attempt, True
            if may_adopt(view.intent, agent.action):
                view.intent = agent.action
        elif healing.newer_there.get("item") == view.attempt:
            view.is_accepted = True
            view.item = ItemState.ASSIGNED if view.item is ItemState.QUEUED else view.item
        if healing.to_confirm:
            agent.hear_that_it_is_there()
        if healing.to_cancel:
            agent.cancel()
        if healing.suspects:
            self.take_back()

    def tell_that_it_is_there(self, which: int) -> None:
        """End what waits here or there although its post exists."""
        view = self.view
        is_at_work = view.is_accepted and view.item is ItemState.RUNNING
        if which != view.holder or view.item in ITEM_FINAL or is_at_work:
            return
        if view.intent is not ActionState.CONFIRMED:
            return
        if not view.is_away or not self.agents[which].hear_that_it_is_there():
            self.finish()

    def take_back(self) -> None:
        """Give an agent again what it has lost (`desktop_app.store.rehoming`)."""
        if self.view.intent is ActionState.CONFIRMED:
            self.finish()
            return
        self.doubt()
        self.view.is_offered = self.view.is_accepted = False

    def doubt(self) -> None:
        """Whoever has it next looks; unless a person is asked already."""
        view = self.view
        view.must_look = True
        if view.intent is ActionState.UNRESOLVED:
            view.item = ItemState.NEEDS_OPERATOR
        else:
            view.intent, view.item = ActionState.IN_DOUBT, ItemState.QUEUED

    def ask_person(self) -> None:
        view = self.view
        view.intent, view.must_look = ActionState.UNRESOLVED, True
        view.item = ItemState.NEEDS_OPERATOR
        view.is_offered = view.is_accepted = False

    def queue(self) -> None:
        self.view.item = ItemState.QUEUED
        self.view.is_offered = self.view.is_accepted = False

    def finish(self) -> None:
        self.view.item = ItemState.DONE
        self.view.is_offered = self.view.is_accepted = False

    def begin_generation(self) -> None:
        """Nothing that is not settled can be trusted (`desktop_app.store.generations`)."""
        view = self.view
        view.generation += 1
        if view.intent in {ActionState.CONFIRMED, ActionState.UNRESOLVED}:
            return
        view.must_look = True
        if view.item not in ITEM_FINAL:
            view.intent = ActionState.IN_DOUBT

    def is_gate_open(self) -> bool:
        return all(agent.heard_in == self.view.generation for agent in self.agents)

    def record(self) -> ItemRecord:
        view = self.view
        return ItemRecord(
            id="item",
            run_id="run",
            account_id="account",
            username="sail",
            agent_id=NAMES[view.holder],
            state=view.item,
            attempt=view.attempt,
            driver=DriverName.PRIVATE_API,
            intent_id="intent",
            action=view.intent,
            accepted=view.is_accepted,
            wanted=None,
            log_end=0,
            offered=view.is_offered,
        )

    @staticmethod
    def inventory(agent: Agent) -> list[InventoryRow]:
        if not agent.holds:
            return []
        row = InventoryRow(
            item_id="item",
            run_id="run",
            account_id="account",
            attempt=agent.attempt,
            state=agent.item,
            fence=1,
            action_id="intent",
            action=agent.action,
        )
        return [row]

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def done_means_that_it_is_there(self) -> None:
        view = self.view
        if view.item is ItemState.DONE or view.intent is ActionState.CONFIRMED:
            assert self.platform.has_post, "called done, and nothing is there"

    @invariant()
    def what_may_be_there_never_looks_free(self) -> None:
        """Once all is told, the store does not believe that a doubtful post was never sent."""
        view, agent = self.view, self.agents[self.view.holder]
        if agent.cursor == len(agent.told) and agent.action not in NOT_SENT and agent.attempt:
            assert view.in_doubt or view.intent is ActionState.CONFIRMED, "a doubt was taken back"

    @invariant()
    def no_attempt_takes_the_place_of_a_later_one(self) -> None:
        assert self.view.attempt >= self.last_attempt, "old news was taken for new"
        self.last_attempt = self.view.attempt

    def teardown(self) -> None:
        """Once the faults stop and everybody is heard, both sides agree."""
        for _ in range(ROUNDS):
            for which, agent in enumerate(self.agents):
                agent.settle()
                self.meet(which)
            self.answer()
        view, agent = self.view, self.agents[self.view.holder]
        if any(each.action is ActionState.CONFIRMED for each in self.agents):
            assert view.intent is ActionState.CONFIRMED, "a confirmation was lost"
        if view.intent is ActionState.CONFIRMED or (
            agent.attempt == view.attempt and agent.item is ItemState.DONE
        ):
            assert view.item is ItemState.DONE, "what was done does not count"
        if view.item not in ITEM_FINAL:
            assert agent.attempt == view.attempt, "the agent was never given it"
        if view.is_accepted and view.item is not ItemState.DONE:
            assert view.item is agent.item, "the store believes something else"


def test_both_sides_come_to_agree(examples: int) -> None:
    hold(BothSides, examples)


# --- what the machine is able to catch ------------------------------------------------------------


class TakesEveryWord(BothSides):
    def does_item_apply(self, which: int, event: Event) -> bool:
        return True


class TakesADoubtBack(BothSides):
    def does_intent_apply(self, then: ActionState) -> bool:
        return self.view.intent is not ActionState.CONFIRMED


class ForgetsLateConfirmations(BothSides):
    def is_heard(self, which: int, event: Event) -> bool:
        return which == self.view.holder


class KeepsItsOwnEnd(BothSides):
    def is_finished_by_its_post(self) -> bool:
        return False


@pytest.mark.parametrize("mistake", [TakesEveryWord, ForgetsLateConfirmations])
def test_a_mistake_would_be_noticed(mistake: type[BothSides]) -> None:
    assert_caught(mistake)


def publish_what_was_closed(machine: BothSides) -> None:
    """The operator closes an item that was taken from an agent, which publishes it all the same."""
    machine.move()
    machine.cancel()
    machine.move_item(0, ItemState.RUNNING)
    machine.move_action(0, ActionState.SENDING, arrives=True)
    machine.move_action(0, ActionState.CONFIRMED, arrives=False)
    machine.move_item(0, ItemState.DONE)
    machine.teardown()


def test_what_was_done_counts_whatever_the_store_decided() -> None:
    publish_what_was_closed(BothSides())
    with pytest.raises(AssertionError, match="does not count"):
        publish_what_was_closed(KeepsItsOwnEnd())


def hear_old_news_of_a_closed_doubt(machine: BothSides) -> None:
    """The operator closes a doubt without a verdict; then a history begins anew behind all that."""
    machine.move_item(0, ItemState.RUNNING)
    doubt = (ActionState.SENDING, ActionState.IN_DOUBT, ActionState.UNRESOLVED)
    for state in (ActionState.PREPARED, *doubt):
        machine.move_action(0, state, arrives=True)
    machine.move_item(0, ItemState.NEEDS_OPERATOR)
    machine.meet(0)
    machine.cancel()
    machine.meet(0)
    assert machine.view.item is ItemState.CANCELLED
    machine.tell_from_earlier(0, back=8)
    machine.tell(0, count=3)
    assert machine.view.in_doubt, "a doubt was taken back"
    machine.teardown()


def test_a_doubt_is_not_taken_back_by_old_news() -> None:
    hear_old_news_of_a_closed_doubt(BothSides())
    with pytest.raises(AssertionError, match="taken back"):
        hear_old_news_of_a_closed_doubt(TakesADoubtBack())


def come_back_too_early(machine: BothSides) -> None:
    """An item comes back to an agent that still has an earlier attempt of it in doubt."""
    machine.move()
    machine.hand_over(is_answer_lost=False)
    machine.move_item(1, ItemState.RUNNING)
    machine.move()
    machine.move()
    machine.hand_over(is_answer_lost=False)
    assert machine.view.item is ItemState.NEEDS_OPERATOR, "the agent takes no two at once"
    machine.teardown()
    assert machine.view.item is not ItemState.NEEDS_OPERATOR


class HearsOfEarlierAttempts(BothSides):
    def is_heard(self, which: int, event: Event) -> bool:
        return which == self.view.holder or super().is_heard(which, event)


def test_nobody_waits_for_an_answer_that_nobody_is_asked_for() -> None:
    come_back_too_early(BothSides())
    with pytest.raises(AssertionError, match="never given"):
        come_back_too_early(HearsOfEarlierAttempts())


def lose_the_end_of_what_others_published(machine: BothSides) -> None:
    """An agent is told that another one published its item, and what it answers is lost."""
    machine.move_item(0, ItemState.RUNNING)
    machine.move_action(0, ActionState.SENDING, arrives=True)
    machine.move_action(0, ActionState.CONFIRMED, arrives=False)
    machine.move()
    machine.hand_over(is_answer_lost=True)
    machine.lose_what_was_told(1)
    machine.tell(0, 5)
    machine.tell_that_it_is_there(1)
    machine.lose_what_was_told(1)
    machine.teardown()


def test_an_end_that_was_lost_is_told_again() -> None:
    lose_the_end_of_what_others_published(BothSides())
