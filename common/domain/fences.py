"""Who may command an account, when two may believe that they do. Pure.

Whoever takes an account over gets a higher fence, and each command carries one. The agent keeps
the highest that it has seen per account, for good, and turns away what is lower. So a holder that
slept through a take-over does no harm, even before it knows. Where fences are kept is not here.
"""

from enum import StrEnum


class FenceJudgement(StrEnum):
    """What an offered fence means to an agent."""

    CURRENT = "current"
    """The holder that is known: its command is carried out."""
    RAISED = "raised"
    """A new holder: its fence is kept before the command is carried out."""
    STALE = "stale"
    """A holder that was replaced: its command is refused."""


def judge_fence(offered: int, highest: int | None) -> FenceJudgement:
    """Judge a command's fence by the highest one seen for its account; None where none was."""
    if highest is None or offered > highest:
        return FenceJudgement.RAISED
    return FenceJudgement.CURRENT if offered == highest else FenceJudgement.STALE


def join_fences(one: int | None, other: int | None) -> int | None:
    """Return the fence of an account that went by two names: the higher one counts for both."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
