"""The runner's end of the pipe: two threads, because no event loop reads every kind of pipe.

The reader feeds the loop; the writer takes whatever has gathered and writes it at once.
"""

import asyncio
import contextlib
import os
import queue
import threading

from agent.runners.messages import FromRunner
from agent.runners.pipe import ScreenFrame, pack_json, pack_screen

_CHUNK = 256 * 1024


class PipeReader:
    """Feeds what arrives on a file descriptor into a stream of the running loop."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self.stream = asyncio.StreamReader(limit=_CHUNK)
        # A daemon: it may sit in a read that nothing can interrupt.
        self._thread = threading.Thread(target=self._read, name="pipe reader", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._descriptor, _CHUNK)
            except OSError:
                data = b""
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._feed, data)
            if not data:
                return

    def _feed(self, data: bytes) -> None:
        if data:
            self.stream.feed_data(data)
        else:
            self.stream.feed_eof()


class PipeWriter:
    """Writes messages to a file descriptor, in order. May be used from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="pipe writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def send(self, message: FromRunner) -> None:
        """Queue a message."""
        self._queue.put(pack_json(message.model_dump_json()))

    def send_screen(self, frame: ScreenFrame) -> None:
        """Queue a picture."""
        self._queue.put(pack_screen(frame))

    def close(self, seconds: float) -> None:
        """Write what is queued and stop, within `seconds`."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _write(self) -> None:
        while True:
            pieces = [self._queue.get()]
            with contextlib.suppress(queue.Empty):
                while pieces[-1] is not None:
                    pieces.append(self._queue.get_nowait())
            data = b"".join(piece for piece in pieces if piece is not None)
            if not self._write_whole(data) or pieces[-1] is None:
                return

    def _write_whole(self, data: bytes) -> bool:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            return False  # the agent has gone; the reader hears it too and ends the runner
        return True
