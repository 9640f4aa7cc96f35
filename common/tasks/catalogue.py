"""Every task type of this release. Explicit, so that a frozen build cannot lose one."""

from common.errors import NotFoundError
from common.tasks import bulk_login, bulk_upload
from common.tasks.task_type import TaskType

TASK_TYPES: tuple[TaskType, ...] = (bulk_upload.TASK_TYPE, bulk_login.TASK_TYPE)


def task_type(kind: str) -> TaskType:
    """Return the task type called `kind`; raises NotFoundError that lists those there are."""
    for found in TASK_TYPES:
        if found.kind == kind:
            return found
    known = ", ".join(sorted(known.kind for known in TASK_TYPES))
    raise NotFoundError(f"There is no task type {kind!r}.", advice=f"There are: {known}.")
