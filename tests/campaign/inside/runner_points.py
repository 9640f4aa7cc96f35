"""Where the points of a runner sit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import requests

from agent.runners.action import JournaledAction
from agent.runners.connection import PipeWriter
from agent.runners.messages import FromRunner, ItemEnded, RunnerKind
from common.domain.states import ActionState
from tests.campaign.inside.failpoints import Failpoints
from tests.campaign.inside.wrapping import wrap

_ENDED = b'"t":"item_ended"'


def install(points: Failpoints, kind: RunnerKind) -> None:
    """Put every point of a runner in its place."""
    _around_steps(points)
    _around_ends(points)
    # Neither kind of runner pays for the other's libraries, here as there.
    if kind is RunnerKind.API:
        _around_requests(points)
    else:
        _around_shares(points)


def _around_requests(points: Failpoints) -> None:
    from agent.drivers.private_api.transport import GuardedTransport

    def sending(shipped: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
        def send(
            transport: Any, request: requests.PreparedRequest, *rest: Any, **named: Any
        ) -> requests.Response:
            name = _name_of(transport, request)
            if name:
                points.hit(f"runner.before.{name}")
            answer = shipped(transport, request, *rest, **named)
            if name:
                points.hit(f"runner.after.{name}")
            return answer

        return send

    wrap(GuardedTransport, "send", sending)


def _name_of(transport: Any, request: requests.PreparedRequest) -> str:
    if transport._wire.is_deciding:
        return "deciding_request"
    return "upload" if request.method == "POST" and "/rupload_" in str(request.url) else ""


def _around_steps(points: Failpoints) -> None:
    def stepping(shipped: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def step(action: JournaledAction, state: ActionState, **named: Any) -> None:
            if state is ActionState.SENDING:
                points.hit("runner.before.step_sending")
            await shipped(action, state, **named)
            if state is ActionState.SENDING:
                points.hit("runner.after.step_sending")

        return step

    wrap(JournaledAction, "step", stepping)


def _around_ends(points: Failpoints) -> None:
    def sending(shipped: Callable[..., None]) -> Callable[..., None]:
        def send(writer: PipeWriter, message: FromRunner) -> None:
            if isinstance(message, ItemEnded):
                points.hit("runner.before.item_ended")
            shipped(writer, message)

        return send

    def writing(shipped: Callable[..., bool]) -> Callable[..., bool]:
        def write_whole(writer: PipeWriter, data: bytes) -> bool:
            written = shipped(writer, data)
            if _ENDED in data:
                points.hit("runner.after.item_ended")
            return written

        return write_whole

    wrap(PipeWriter, "send", sending)
    wrap(PipeWriter, "_write_whole", writing)


def _around_shares(points: Failpoints) -> None:
    from agent.drivers.browser.once import SendOnce

    def handling(shipped: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def handle(once: Any, route: Any) -> None:
            decides = once._decides(route.request)
            if decides:
                points.hit("runner.before.browser_share")
            await shipped(once, route)
            if decides:
                points.hit("runner.after.browser_share")

        return handle

    wrap(SendOnce, "_handle", handling)
