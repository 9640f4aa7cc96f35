"""A tiny HTTP server that answers with exactly the bytes it is told to, or with nothing."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

DROP = b""
"""Close the connection without an answer."""
HANG = b"\0hang"
"""Behind an answer, or instead of one: send it and then nothing, with the connection open."""


def answer(status: str, body: str = "{}", *, length: int | None = None) -> bytes:
    """Return a response; a `length` larger than the body makes it break off."""
    size = len(body.encode()) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    return (head + body).encode()


class ScriptedServer:
    """Serves one answer per request, in order, and remembers the requests' first lines."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.requests: list[str] = []
        self._answers = list(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._open: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="scripted server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.clear()
        # A blocked read is woken by the end of its connection, a blocked accept by a visitor.
        with contextlib.suppress(OSError):
            if self._open:
                self._open.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError), socket.create_connection(self._socket.getsockname()):
            pass
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while self._answers:
            connection, _ = self._socket.accept()
            self._open = connection
            with connection:
                while self._answers and (first := _read_request(connection)):
                    self.requests.append(first)
                    reply = self._answers.pop(0)
                    connection.sendall(reply.removesuffix(HANG))
                    if reply.endswith(HANG):
                        connection.recv(1)  # until the other side gives up
                        break
                    if reply == DROP or b"Content-Length" not in reply or _breaks_off(reply):
                        break


def _breaks_off(reply: bytes) -> bool:
    head, _, body = reply.partition(b"\r\n\r\n")
    size = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    return int(size.split(b":")[1]) > len(body)


def _read_request(connection: socket.socket) -> str:
    with connection.makefile("rb") as stream:
        lines: list[bytes] = []
        while (line := stream.readline()).strip():
            lines.append(line)
        size = sum(
            int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")
        )
        stream.read(size)
    return lines[0].decode().strip() if lines else ""


@contextmanager
def scripted(*answers: bytes) -> Iterator[ScriptedServer]:
    """Serve `answers` until the block ends."""
    with ScriptedServer(answers) as server:
        yield server
