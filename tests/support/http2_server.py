"""A tiny HTTP/2 server without TLS: answers so many requests, and resets the connection after.

Only as much of RFC 9113 as a client needs that speaks it by prior knowledge.
"""

import contextlib
import socket
import struct
import threading
from typing import Self

_PREFACE = 24
_HEAD = 9
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
"""What every answer gives as its time."""
_STATUS_200 = b"\x88\x00\x04date" + bytes([len(DATE)]) + DATE.encode()
"""RFC 7541: the status by its number in the static table, the date written out."""


class ResettingHttp2Server:
    """Takes every request whole; only the first `answers` of them get an answer."""

    def __init__(self, answers: int) -> None:
        self.requests = 0
        """Requests that arrived whole."""
        self._answers = answers
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._is_over = False
        self._open: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="http2 server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        # A blocked read is woken by the end of its connection, a blocked accept by a visitor.
        with contextlib.suppress(OSError):
            if self._open:
                self._open.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError), socket.create_connection(self._socket.getsockname()):
            pass
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._is_over:
            self._open, _ = self._socket.accept()
            with self._open as connection, contextlib.suppress(OSError, EOFError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            _read(stream.read(_PREFACE), _PREFACE)
            connection.sendall(_frame(_SETTINGS, 0, 0))
            while True:
                head = _read(stream.read(_HEAD), _HEAD)
                size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
                stream.read(size)
                if kind == _SETTINGS and not flags & _ACK:
                    connection.sendall(_frame(_SETTINGS, _ACK, 0))
                if kind not in (_DATA, _HEADERS) or not flags & _END_STREAM:
                    continue
                self.requests += 1
                if self.requests > self._answers:
                    at_once = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                    return
                stream_id = int.from_bytes(head[5:], "big")
                flags = _END_STREAM | _END_HEADERS
                connection.sendall(_frame(_HEADERS, flags, stream_id, _STATUS_200))


def _frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags])
    return head + stream_id.to_bytes(4, "big") + payload


def _read(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise EOFError
    return data
