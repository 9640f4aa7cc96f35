"""How large a campaign is: a value, and the two sizes that are run."""

from __future__ import annotations

from dataclasses import dataclass, replace

ACCOUNTS_PER_PUBLISH = 8
"""Posts per account in a short campaign: accounts are many so that their waits overlap."""
DOUBTS_LEAST = 8
"""Posts that are left to a person, in however short a campaign: some are settled by looking."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is published, and how much goes wrong meanwhile."""

    seed: int
    publishes: int
    faults: int
    """How many have to come about."""
    kills_and_cuts: int
    """How many of the faults have to be deaths of a process or breaks of a line."""
    accounts: int
    browser_accounts: int = 0
    """Of `accounts`, how many publish through a browser."""
    relayed_accounts: int = 0
    """Of `accounts`, how many use the client as the real platform gets it."""
    doubts: int = 0
    """Posts beside `publishes`, on an account of its own each, that nobody but a person can settle:
    their answer is lost, and the session ends before anybody has looked."""
    journal_losses: int = 0
    """How often an agent's journal is damaged, of `faults`; only on request. Posts that then need a
    person count apart, and the last lines of a log that nobody had asked for yet are gone."""
    agents: int = 2
    workers: int = 6
    """Posts that one agent may have under way at a time."""
    think_ms: int = 120
    """How long the platform takes to publish a post, so that what goes wrong finds some on their
    way."""
    minutes: float = 5.0
    """After this long it ends, finished or not."""
    disk_mib: int = 192
    """Size of each machine's own disk, where one can be mounted."""

    @property
    def usernames(self) -> list[str]:
        """Every account, browsers' first, those of `doubtful` last."""
        return [*(f"account.{number:04d}" for number in range(self.accounts)), *self.doubtful]

    @property
    def doubtful(self) -> list[str]:
        """The accounts whose one post is left to a person."""
        return [f"doubt.{number:04d}" for number in range(self.doubts)]

    def is_browser(self, number: int) -> bool:
        """Say whether the account with this number publishes through a browser."""
        return number < self.browser_accounts

    def is_relayed(self, number: int) -> bool:
        """Say whether the account with this number uses the real platform's transport."""
        return self.browser_accounts <= number < self.browser_accounts + self.relayed_accounts


def short(seed: int) -> Plan:
    """The campaign in the test command."""
    return Plan(
        seed=seed,
        publishes=320,
        faults=130,
        kills_and_cuts=100,
        accounts=40,
        doubts=DOUBTS_LEAST,
        minutes=5.0,
    )


def full(seed: int) -> Plan:
    """The campaign of `run.py campaign`."""
    return Plan(
        seed=seed,
        publishes=10_080,
        faults=3_050,
        kills_and_cuts=1_200,
        accounts=168,
        browser_accounts=4,
        relayed_accounts=20,
        doubts=24,
        agents=3,
        workers=8,
        minutes=60.0,
        disk_mib=768,
    )


def sized(plan: Plan, publishes: int | None, minutes: float | None) -> Plan:
    """Return the plan for another number of publishes, with as many faults for each."""
    if minutes is not None:
        plan = replace(plan, minutes=minutes)
    if publishes is None:
        return plan
    faults = max(1, round(plan.faults * publishes / plan.publishes))
    accounts = min(plan.accounts, max(2, publishes // ACCOUNTS_PER_PUBLISH))
    share = accounts / plan.accounts
    return replace(
        plan,
        publishes=publishes,
        faults=faults,
        kills_and_cuts=round(plan.kills_and_cuts * publishes / plan.publishes),
        accounts=accounts,
        browser_accounts=min(plan.browser_accounts, round(plan.browser_accounts * share)),
        relayed_accounts=round(plan.relayed_accounts * share),
        doubts=max(DOUBTS_LEAST, round(plan.doubts * publishes / plan.publishes)),
    )
