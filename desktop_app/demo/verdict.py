"""The verdict: what should have been published, held against the platform's own ledger. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Expected:
    """One post that should be there: whose it is, and by what it is recognised."""

    username: str
    caption: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many posts are there once, more than once, and not at all."""

    accounts: int
    expected: int
    published: int
    """Expected posts that are there exactly once."""
    twice: int
    """Posts that are there more often than they should be; one that nobody expected among them."""
    lost: int
    """Expected posts that are not there."""

    @property
    def is_clean(self) -> bool:
        """True where every expected post is there exactly once, and no other."""
        return self.published == self.expected and not self.twice and not self.lost

    def __str__(self) -> str:
        return (
            f"{self.accounts} accounts · {self.expected} posts expected · "
            f"{self.published} published · {self.twice} twice · {self.lost} lost"
        )


def judge(
    accounts: int, expected: Iterable[Expected], records: Iterable[Mapping[str, Any]]
) -> Verdict:
    """Judge by `records`, the `published` records of the practice platform's ledger."""
    wanted = Counter(expected)
    found = Counter(Expected(record["account"], record["caption"]) for record in records)
    return Verdict(
        accounts=accounts,
        expected=wanted.total(),
        published=sum(min(count, found[post]) for post, count in wanted.items()),
        twice=sum((found - wanted).values()),
        lost=sum((wanted - found).values()),
    )
