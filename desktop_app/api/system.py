"""Routes about the core itself: health, overview, task types, shutdown."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from common.tasks.catalogue import TASK_TYPES
from common.tasks.task_type import TaskType
from common.version import VERSION
from desktop_app.api.answers import answer
from desktop_app.contract import routes
from desktop_app.contract.changes import Overview
from desktop_app.contract.routes import TaskTypeRow
from desktop_app.core.app import CoreContext


def system_router(core: CoreContext) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["core"])

    @router.get(routes.HEALTH)
    async def health() -> dict[str, str]:
        """Say that the core answers, which release it is and whose store it serves."""
        return {"status": "ok", "app": VERSION, "store_id": core.store.store_id}

    @router.get(routes.OVERVIEW, response_model=Overview)
    async def overview() -> Response:
        """Return the fleet in numbers."""
        return answer(await core.views.overview(core.hub.revision))

    @router.get(routes.TASK_TYPES, response_model=list[TaskTypeRow])
    async def task_types() -> Response:
        """Return the task types, with the JSON schemas of their parameters."""
        return JSONResponse([_task_type_row(kind).model_dump() for kind in TASK_TYPES])

    @router.post(routes.SHUTDOWN, status_code=202)
    async def shutdown() -> dict[str, str]:
        """End the core. Agents go on with what they accepted."""
        core.stop("A client asked for it.")
        return {"status": "ending"}

    return router


def _task_type_row(task: TaskType) -> TaskTypeRow:
    return TaskTypeRow(
        kind=task.kind,
        number=task.number,
        title=task.title,
        summary=task.summary,
        icon=task.icon,
        parameters=task.parameters.model_json_schema(),
    )
