"""Who may command an account: the highest fence seen, kept for good under each of its names.

An account is known by the platform's own id, and before its first sign-in by its user name. What a
fence means is judged in `common.domain.fences`.
"""

from collections.abc import Sequence
from functools import reduce

from agent.jobs.journal import Transaction
from common.access import AccountAccess
from common.domain.accounts import account_identity
from common.domain.fences import FenceJudgement, join_fences, judge_fence
from common.errors import StaleFenceError


def raise_fence(transaction: Transaction, identity: str, fence: int, subject: str) -> None:
    """Note a command's fence; raises StaleFenceError where the account has seen a higher one.

    Whatever name the command knows the account by, all of its names count. `subject` names to the
    operator what the command was about.
    """
    names = names_of(transaction, identity)
    judgement = judge_fence(fence, _highest(transaction, names))
    if judgement is FenceJudgement.STALE:
        raise StaleFenceError(
            f"{subject} was given to another agent or desktop since.",
            subject=subject,
            advice="Reload the account before you give it work.",
        )
    if judgement is FenceJudgement.RAISED:
        _note(transaction, names, fence)


def names_of(transaction: Transaction, identity: str) -> Sequence[str]:
    """Return every name by which an account is known here, `identity` among them."""
    found = transaction.execute(
        "SELECT same_as FROM fence WHERE identity = ? AND same_as <> ''", (identity,)
    ).fetchone()
    own = found[0] if found else identity
    others = transaction.execute(
        "SELECT identity FROM fence WHERE same_as = ? AND same_as <> ''", (own,)
    )
    return (own, *(name for (name,) in others))


def same_account(transaction: Transaction, account: AccountAccess) -> None:
    """Note that an account's user name and the platform's own id, once known, are the same one.

    Items and effects that were noted under the name are the id's from then on. A name that belonged
    to another account until now takes its fence along, because nobody can tell whose command it
    was.
    """
    if account.user_id is None:
        return
    name, identity = account_identity(account.platform, None, account.username), account.identity
    known = transaction.execute(
        "SELECT 1 FROM fence WHERE identity = ? AND same_as = ?", (name, identity)
    ).fetchone()
    if known is None:
        rename_identity(transaction, name, identity)
        transaction.execute("UPDATE fence SET same_as = ? WHERE identity = ?", (identity, name))


def rename_identity(transaction: Transaction, old: str, new: str) -> None:
    """Move items and actions of one identity to another; the higher fence counts for both."""
    names = (old, *names_of(transaction, new))
    _note(transaction, names, _highest(transaction, names) or 0)
    transaction.execute("UPDATE item SET identity = ? WHERE identity = ?", (new, old))
    # A clash means that the post is known under both names: the row that is there stays.
    transaction.execute("UPDATE OR IGNORE action SET identity = ? WHERE identity = ?", (new, old))


def _highest(transaction: Transaction, names: Sequence[str]) -> int | None:
    marks = ", ".join("?" for _ in names)
    found = transaction.execute(
        f"SELECT fence FROM fence WHERE identity IN ({marks})",  # noqa: S608 - only marks
        names,
    ).fetchall()
    return reduce(join_fences, (fence for (fence,) in found), None)


def _note(transaction: Transaction, names: Sequence[str], fence: int) -> None:
    for name in names:
        transaction.execute(
            "INSERT INTO fence (identity, fence) VALUES (?, ?) "
            "ON CONFLICT (identity) DO UPDATE SET fence = excluded.fence",
            (name, fence),
        )
