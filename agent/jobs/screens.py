"""Live screens on their way from a runner to whoever watches: one frame in flight, newest wins.

The hub gives every watcher a channel of its own towards the runners, so that two desktops may use
the same number.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent.runners.messages import ScreenSeen, StopScreen, ToRunner, WatchScreen
from agent.runners.pipe import ScreenFrame

FRAME_LIMIT = 2 * 1024 * 1024
"""Bytes of one picture at most; a larger one is passed over."""


@dataclass(slots=True)
class Watch:
    """One watcher's view of one account."""

    channel: int
    """The hub's own number."""
    account_id: str
    width: int
    show: Callable[[bytes], None]
    in_flight: bool = False
    newest: bytes | None = None


class ScreenHub:
    """Who watches which account."""

    def __init__(self, tell: Callable[[str, ToRunner], None]) -> None:
        """`tell` sends a message to the runner that an account's browser lives in, if any."""
        self._tell = tell
        self._watches: dict[int, Watch] = {}
        self._last = 0

    def watch(self, account_id: str, width: int, show: Callable[[bytes], None]) -> Watch:
        """Begin to watch; `show` gets each picture, the next after `seen`."""
        self._last += 1
        watch = Watch(self._last, account_id, width, show)
        self._watches[watch.channel] = watch
        self._tell(account_id, _message(watch))
        return watch

    def stop(self, watch: Watch) -> None:
        """End a watch."""
        if self._watches.pop(watch.channel, None) is not None:
            self._tell(
                watch.account_id, StopScreen(account_id=watch.account_id, channel=watch.channel)
            )

    def seen(self, watch: Watch) -> None:
        """The watcher has the last picture whole: the next one may go."""
        watch.in_flight = False
        newest, watch.newest = watch.newest, None
        if newest is not None:
            self._show(watch, newest)
        self._tell(watch.account_id, ScreenSeen(channel=watch.channel))

    def frame(self, frame: ScreenFrame) -> None:
        """A runner has a new picture."""
        watch = self._watches.get(frame.channel)
        if watch is None or len(frame.jpeg) > FRAME_LIMIT:
            return
        if watch.in_flight:
            watch.newest = frame.jpeg
        else:
            self._show(watch, frame.jpeg)

    def watches_of(self, account_id: str) -> Iterable[WatchScreen]:
        """Return what a runner must be told when it gets this account."""
        return [
            _message(watch) for watch in self._watches.values() if watch.account_id == account_id
        ]

    def _show(self, watch: Watch, jpeg: bytes) -> None:
        watch.in_flight = True
        watch.show(jpeg)


def _message(watch: Watch) -> WatchScreen:
    return WatchScreen(account_id=watch.account_id, channel=watch.channel, width=watch.width)
