"""Points around what a control session writes, on either side of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from common.protocol.session import Session
from tests.campaign.inside.failpoints import Failpoints
from tests.campaign.inside.wrapping import wrap


def point_sends(points: Failpoints, process: str, messages: Mapping[str, str]) -> None:
    """Put points around messages that begin like those named."""
    wrap(Session, "outgoing", lambda shipped: _around_sends(shipped, points, process, messages))


def _around_sends(
    shipped: Callable[[Session], Iterator[str | bytes]],
    points: Failpoints,
    process: str,
    messages: Mapping[str, str],
) -> Callable[[Session], Iterator[str | bytes]]:
    def outgoing(session: Session) -> Iterator[str | bytes]:
        for data in shipped(session):
            name = _name_of(data, messages)
            if name:
                points.hit(f"{process}.before.{name}")
            yield data
            # Whoever writes asks for the next piece once this one is with the socket.
            if name:
                points.hit(f"{process}.after.{name}")

    return outgoing


def _name_of(data: str | bytes, messages: Mapping[str, str]) -> str:
    if isinstance(data, bytes):
        return ""
    return next((name for start, name in messages.items() if data.startswith(start)), "")
