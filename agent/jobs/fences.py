"""Who may command an account: the highest fence seen, kept for good; one name for one account.

What a fence means is judged in `common.domain.fences`.
"""

from agent.jobs.journal import Transaction
from common.access import AccountAccess
from common.domain.accounts import account_identity
from common.domain.fences import FenceJudgement, judge_fence
from common.errors import StaleFenceError


def raise_fence(transaction: Transaction, identity: str, fence: int, subject: str) -> None:
    """Note a command's fence; raises StaleFenceError where the account has seen a higher one.

    `subject` names to the operator what the command was about.
    """
    row = transaction.execute("SELECT fence FROM fence WHERE identity = ?", (identity,)).fetchone()
    judgement = judge_fence(fence, row[0] if row else None)
    if judgement is FenceJudgement.STALE:
        raise StaleFenceError(
            f"Another desktop has taken {subject} over since.",
            subject=subject,
            advice="Reload the account before you give it work.",
        )
    if judgement is FenceJudgement.RAISED:
        transaction.execute(
            "INSERT INTO fence (identity, fence) VALUES (?, ?) "
            "ON CONFLICT (identity) DO UPDATE SET fence = excluded.fence",
            (identity, fence),
        )


def same_account(transaction: Transaction, account: AccountAccess) -> None:
    """Join what was noted under the user name, before the platform's own id was known."""
    if account.user_id is None:
        return
    by_name = account_identity(account.platform, None, account.username)
    rename_identity(transaction, by_name, account.identity)


def rename_identity(transaction: Transaction, old: str, new: str) -> None:
    """Move fence, items and actions of one identity to another; the higher fence stays."""
    row = transaction.execute("SELECT fence FROM fence WHERE identity = ?", (old,)).fetchone()
    if row is None:
        return
    transaction.execute(
        "INSERT INTO fence (identity, fence) VALUES (?, ?) ON CONFLICT (identity) DO UPDATE "
        "SET fence = max(fence.fence, excluded.fence)",
        (new, row[0]),
    )
    transaction.execute("DELETE FROM fence WHERE identity = ?", (old,))
    transaction.execute("UPDATE item SET identity = ? WHERE identity = ?", (new, old))
    # A clash means that the post is known under both names: the row that is there stays.
    transaction.execute("UPDATE OR IGNORE action SET identity = ? WHERE identity = ?", (new, old))
