"""The two sockets: changes for views that stay true, and screens."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from desktop_app.contract import routes
from desktop_app.contract.changes import Closing, Watch, WatchScreens
from desktop_app.core.app import CoreContext
from desktop_app.core.changes import Subscriber
from desktop_app.core.screens import ScreenClient
from desktop_app.core.tasks import end_all

_POLICY_VIOLATION = 1008
_GOING_AWAY = 1001
_SEND_SECONDS = 20.0


def sockets_router(core: CoreContext) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.websocket(routes.CHANGES)
    async def changes(socket: WebSocket) -> None:
        """Push changes; what arrives are `Watch` wishes."""
        with core.hub.subscription() as subscriber:

            def wish(text: str) -> None:
                subscriber.watch = Watch.model_validate_json(text)

            await _talk(socket, wish, lambda: _push_changes(socket, subscriber))

    @router.websocket(routes.SCREENS)
    async def screens(socket: WebSocket) -> None:
        """Push screens; what arrives are `WatchScreens` wishes."""
        with core.screens.client() as client:

            def wish(text: str) -> None:
                client.watch = WatchScreens.model_validate_json(text)
                core.screens.wishes_changed()

            await _talk(socket, wish, lambda: _push_screens(socket, client))

    return router


async def _talk(
    socket: WebSocket, wish: Callable[[str], None], push: Callable[[], Awaitable[None]]
) -> None:
    """Take wishes and push until one side ends it."""
    await socket.accept()
    tasks = [
        asyncio.ensure_future(_take_wishes(socket, wish)),
        asyncio.ensure_future(push()),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except (WebSocketDisconnect, TimeoutError):
        return
    except ValidationError:
        await socket.close(_POLICY_VIOLATION, "This wish cannot be read.")
    finally:
        await end_all(tasks)


async def _take_wishes(socket: WebSocket, wish: Callable[[str], None]) -> None:
    while True:
        wish(await socket.receive_text())


async def _push_changes(socket: WebSocket, subscriber: Subscriber) -> None:
    while True:
        change = await subscriber.next()
        text = change.model_dump_json()
        async with asyncio.timeout(_SEND_SECONDS):
            await socket.send_text(text)
        if isinstance(change, Closing):
            await socket.close(_GOING_AWAY)
            return


async def _push_screens(socket: WebSocket, client: ScreenClient) -> None:
    while True:
        account_id, jpeg = await client.next()
        async with asyncio.timeout(_SEND_SECONDS):
            await socket.send_bytes(account_id.encode("ascii") + jpeg)
