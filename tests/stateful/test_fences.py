"""Fences and leases: a holder that was replaced commands nothing, whatever it believes.

Two desktops share an account by a lease in their database; the agent keeps the highest fence it has
seen. Messages are delayed and overtake each other (they come over two links), a desktop sleeps in
the middle of anything and wakes up sure of itself, the agent restarts.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from common.domain.fences import FenceJudgement, join_fences, judge_fence
from common.domain.lease import ActingLease
from tests.stateful.machines import assert_caught, hold

TTL = 30.0
MARGIN = 5.0
TIRED = 4.0
"""Seconds within which a desktop that may act has sent what it began."""
NAMES = (("user name",), ("user name", "user id"))
"""By what a command knows the account: a desktop may not have learnt its id yet."""


@dataclass
class Holder:
    """A desktop, as far as it knows."""

    fence: int = 0
    lease: ActingLease | None = None


@dataclass(frozen=True)
class Command:
    """Something on its way to the agent."""

    fence: int
    names: tuple[str, ...]


class TwoHolders(RuleBasedStateMachine):
    """One account that goes by two names, one agent, two desktops, one true clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.fence = 0
        """The highest that the database ever gave."""
        self.leased_until = 0.0
        self.holders = (Holder(), Holder())
        self.on_the_way: list[Command] = []
        self.seen: dict[str, int] = {}
        """The agent's disk."""
        self.executed: list[Command] = []

    # --- what the parts do; a planted mistake replaces one of these -------------------------------

    def accepts(self, command: Command) -> bool:
        """Judge by the highest fence under any of the names, and keep it under all of them."""
        highest: int | None = None
        for name in command.names:
            highest = join_fences(highest, self.seen.get(name))
        if judge_fence(command.fence, highest) is FenceJudgement.STALE:
            return False
        self.seen |= dict.fromkeys(command.names, command.fence)
        return True

    def may_act(self, holder: Holder) -> bool:
        return holder.lease is not None and holder.lease.may_act(self.now)

    # --- what may happen -------------------------------------------------------------------------

    @rule(which=st.sampled_from([0, 1]))
    def claim(self, which: int) -> None:
        """Take the account over, where the database says that nobody holds it."""
        if self.now >= self.leased_until:
            self.fence += 1
            self.leased_until = self.now + TTL
            self.holders[which].fence = self.fence
            self.holders[which].lease = ActingLease(TTL, self.now, margin=MARGIN)

    @rule(which=st.sampled_from([0, 1]), took=st.sampled_from([0.0, 2.0, 20.0]))
    def renew(self, which: int, took: float) -> None:
        """Ask the database for more time; its answer comes later than the question was put."""
        holder = self.holders[which]
        if holder.lease is None or holder.fence != self.fence or self.now >= self.leased_until:
            return
        asked, self.now = self.now, self.now + took
        self.leased_until = max(self.leased_until, asked + TTL)
        holder.lease.renew(self.now, as_of=asked)

    @rule(which=st.sampled_from([0, 1]), names=st.sampled_from(NAMES), sleeps=st.booleans())
    def command(self, which: int, names: tuple[str, ...], sleeps: bool) -> None:
        """Send a command; a desktop may fall asleep between looking at its lease and sending."""
        holder = self.holders[which]
        if self.may_act(holder):
            self.now += 2 * TTL if sleeps else TIRED
            self.on_the_way.append(Command(holder.fence, names))

    @rule(seconds=st.sampled_from([1.0, 10.0, 40.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.on_the_way)
    @rule(place=st.integers(0, 20), is_lost=st.booleans())
    def arrive(self, place: int, is_lost: bool) -> None:
        """Any command may be the next one, or never come; the agent's disk outlives the agent."""
        command = self.on_the_way.pop(place % len(self.on_the_way))
        if not is_lost and self.accepts(command):
            self.executed.append(command)

    # --- what must hold --------------------------------------------------------------------------

    @invariant()
    def no_lower_fence_after_a_higher_one(self) -> None:
        fences = [command.fence for command in self.executed]
        assert fences == sorted(fences), "a replaced holder was obeyed"

    @invariant()
    def only_one_believes_that_it_holds(self) -> None:
        believers = [holder for holder in self.holders if self.may_act(holder)]
        assert len(believers) <= 1, "two act at the same time"
        for holder in believers:
            assert holder.fence == self.fence
            assert self.now + MARGIN <= self.leased_until, "it acts on borrowed time"


def test_a_replaced_holder_commands_nothing(examples: int) -> None:
    hold(TwoHolders, examples)


# --- what the machine is able to catch ------------------------------------------------------------


class FenceIgnored(TwoHolders):
    def accepts(self, command: Command) -> bool:
        return True


class FenceForgotten(TwoHolders):
    """The agent keeps the last fence instead of the highest."""

    def accepts(self, command: Command) -> bool:
        self.seen |= dict.fromkeys(command.names, command.fence)
        return True


class FenceKeptUnderOneName(TwoHolders):
    def accepts(self, command: Command) -> bool:
        return super().accepts(Command(command.fence, command.names[-1:]))


class LeaseCountedFromTheAnswer(TwoHolders):
    def may_act(self, holder: Holder) -> bool:
        return holder.lease is not None and holder.lease.may_act(self.now - 20.0)


class LeaseOnAClockThatSleeps(TwoHolders):
    def may_act(self, holder: Holder) -> bool:
        return holder.lease is not None


@pytest.mark.parametrize(
    "mistake",
    [
        FenceIgnored,
        FenceForgotten,
        LeaseCountedFromTheAnswer,
        LeaseOnAClockThatSleeps,
    ],
)
def test_a_mistake_would_be_noticed(mistake: type[TwoHolders]) -> None:
    assert_caught(mistake)


def command_by_both_names(machine: TwoHolders) -> None:
    """What the first holder sent before it slept arrives after the second has taken over."""
    machine.claim(0)
    machine.command(0, NAMES[0], sleeps=True)
    machine.claim(1)
    machine.command(1, NAMES[1], sleeps=False)
    machine.arrive(1, is_lost=False)
    machine.arrive(0, is_lost=False)
    machine.no_lower_fence_after_a_higher_one()


def test_a_fence_counts_under_every_name_of_the_account() -> None:
    command_by_both_names(TwoHolders())
    with pytest.raises(AssertionError, match="was obeyed"):
        command_by_both_names(FenceKeptUnderOneName())
