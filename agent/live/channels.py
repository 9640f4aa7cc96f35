"""Who watches which account, with at most one frame on its way per channel. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Channel:
    account_id: str
    width: int
    in_flight: bool = False
    waiting: bytes | None = field(default=None, repr=False)
    """The newest frame, kept until the one before has been seen."""


class Channels:
    """All watchers of one runner."""

    def __init__(self, send: Callable[[int, bytes], None]) -> None:
        self._send = send
        self._channels: dict[int, _Channel] = {}

    def watch(self, account_id: str, channel: int, width: int) -> None:
        """Begin to watch; watching again on a channel starts it afresh."""
        self._channels[channel] = _Channel(account_id, width)

    def stop(self, channel: int) -> None:
        """Watch no more."""
        self._channels.pop(channel, None)

    def width_for(self, account_id: str) -> int:
        """Return the widest frame that anybody wants of an account; 0 where nobody watches."""
        return max(
            (c.width for c in self._channels.values() if c.account_id == account_id), default=0
        )

    def show(self, account_id: str, jpeg: bytes) -> None:
        """Give a frame to whoever watches; it waits where the last one is still on its way."""
        for number, channel in self._channels.items():
            if channel.account_id != account_id:
                continue
            if channel.in_flight:
                channel.waiting = jpeg
            else:
                channel.in_flight = True
                self._send(number, jpeg)

    def seen(self, channel: int) -> None:
        """The last frame of `channel` has left: send the one that waits, if any."""
        found = self._channels.get(channel)
        if found is None:
            return
        waiting, found.waiting = found.waiting, None
        found.in_flight = waiting is not None
        if waiting is not None:
            self._send(channel, waiting)
