"""Bulk login: sign accounts in with password and TOTP, save the session, verify it by a read."""

from pydantic import Field

from common.operations import Operation
from common.tasks.task_type import (
    ItemUnit,
    Plan,
    PlanContext,
    PlannedItem,
    TaskParameters,
    TaskType,
)


class BulkLoginParameters(TaskParameters):
    """What a bulk login takes."""

    force: bool = Field(
        default=False, description="Sign in anew even where the saved session still works."
    )


def plan(parameters: BulkLoginParameters, context: PlanContext) -> Plan:
    """Plan one item per account."""
    items = tuple(
        PlannedItem(
            account_id=account.account_id,
            title=f"Sign in {account.username}",
            parameters={"force": parameters.force},
        )
        for account in context.accounts
    )
    return Plan(items)


TASK_TYPE = TaskType(
    kind="bulk_login",
    number=2,
    title="Bulk login",
    summary="Sign accounts in, save their sessions and verify them.",
    icon="log-in",
    unit=ItemUnit.ACCOUNT,
    operations=frozenset({Operation.SIGN_IN, Operation.VERIFY_SESSION}),
    parameters=BulkLoginParameters,
    plan=plan,
    examples=(BulkLoginParameters(), BulkLoginParameters(force=True)),
)
