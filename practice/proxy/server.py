"""The practice proxy: HTTP forwarding and CONNECT tunnels, to the platform and nowhere else.

The platform learns the proxy's name from ``proxied_ports``: it sees from which local port a
connection comes, and nobody else can send from that port. No header is trusted for it.
"""

import asyncio
import contextlib
import logging
import socket

from practice.proxy.head import Head, HeadError, parse_head
from practice.state.proxies import ProxyBook

_HEAD_LIMIT = 64 * 1024
_HEAD_SECONDS = 15.0
_LINGER_SECONDS = 1.0
_CHUNK = 64 * 1024

_log = logging.getLogger(__name__)


class PracticeProxy:
    """Serves until ``close``; owns the task of every connection."""

    def __init__(self, proxies: ProxyBook, platform_port: int) -> None:
        self._proxies = proxies
        self._platform_port = platform_port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.proxied_ports: dict[int, str] = {}
        """Local ports of open connections to the platform, with the proxy's name."""

    async def start(self, listener: socket.socket) -> None:
        """Begin to serve on a bound socket."""
        self._server = await asyncio.start_server(self._serve, sock=listener, limit=_HEAD_LIMIT)

    async def close(self) -> None:
        """Stop serving and end every connection."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A connection is served outside of a task.")
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            _log.debug("A proxy connection ended early.")
        except asyncio.CancelledError:
            _log.debug("A proxy connection was ended by the stop.")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = parse_head(await reader.readuntil(b"\r\n\r\n"))
        except (HeadError, asyncio.LimitOverrunError):
            await _refuse(reader, writer, "400 Bad Request")
            return
        name = self._name_for(head)
        if name is None:
            challenge = 'Proxy-Authenticate: Basic realm="practice proxy"\r\n'
            await _refuse(reader, writer, "407 Proxy Authentication Required", challenge)
        elif not head.leads_to(self._platform_port):
            await _refuse(reader, writer, "403 Forbidden")
        else:
            await self._relay(name, head, reader, writer)

    def _name_for(self, head: Head) -> str | None:
        credentials = head.credentials()
        return self._proxies.check(*credentials) if credentials else None

    async def _relay(
        self, name: str, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(
            "127.0.0.1", self._platform_port
        )
        port = upstream_writer.get_extra_info("sockname")[1]
        self.proxied_ports[port] = name
        try:
            if head.is_tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream_writer.write(head.for_origin())
            await _join(reader, writer, upstream_reader, upstream_writer)
        finally:
            del self.proxied_ports[port]
            upstream_writer.close()


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    upstream_reader: asyncio.StreamReader,
    upstream_writer: asyncio.StreamWriter,
) -> None:
    """Carry bytes both ways until the platform has nothing more to say."""
    outward = asyncio.create_task(_carry(reader, upstream_writer), name="proxy outward")
    try:
        await _carry(upstream_reader, writer)
    finally:
        outward.cancel()
        await asyncio.gather(outward, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _refuse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: str, header: str = ""
) -> None:
    """Answer, then give the client a moment to read before the connection goes."""
    head = f"HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(_CHUNK):
                pass
