"""The platform as the real one is reached: HTTPS and HTTP/2 behind a proxy, under its real names.

A throw-away authority signs for the names, a CONNECT proxy takes whoever asks for one of them to a
TLS server here, and that passes each request on to the practice platform over plain HTTP/1.1. So
the client that operators use runs unchanged, transport included (its public session speaks HTTP/1.1
by itself, which is carried as it is). A line that breaks behind it
breaks the client's connection as well: no answer is ever made up here.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES = ("i.instagram.com", "b.i.instagram.com", "www.instagram.com")
PRACTICE_HOST = "x-practice-host"
_HOST = "127.0.0.1"
_PIECE_BYTES = 64 * 1024
_HEAD_BYTES = 8 * 1024
_ANSWER_SECONDS = 60.0
_WINDOW_BYTES = 1024 * 1024
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "host", "upgrade"})
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Authority:
    """A certificate authority that nobody trusts, and the server's certificate by it."""

    ca_file: Path
    chain_file: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        """Make both, for a few days, below `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder / "ca.pem", folder / "server.pem")
        ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        issuer = _name("Campaign throw-away authority")
        ca = _certificate(issuer, issuer, ca_key.public_key(), is_authority=True)
        leaf = _certificate(_name(NAMES[0]), issuer, key.public_key(), is_authority=False)
        authority = ca.sign(ca_key, hashes.SHA256())
        made.ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        signed = leaf.sign(ca_key, hashes.SHA256())
        made.chain_file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return made

    def server_context(self) -> ssl.SSLContext:
        """TLS 1.3 with HTTP/2, or HTTP/1.1 for whoever knows no better."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.chain_file)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context


@asynccontextmanager
async def disguised(authority: Authority, platform_port: int) -> AsyncIterator[str]:
    """Serve the platform behind `platform_port` in disguise; yields the proxy's address."""
    async with httpx.AsyncClient(
        base_url=f"http://{_HOST}:{platform_port}", timeout=_ANSWER_SECONDS, trust_env=False
    ) as platform:
        door = _Door()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tls = writer.get_extra_info("ssl_object")
            if tls.selected_alpn_protocol() == "h2":
                await door.hold(_Http2Link(reader, writer, platform).serve(), writer)
            else:
                await door.hold(_splice(reader, writer, platform_port), writer)

        context = authority.server_context()
        async with await asyncio.start_server(serve, _HOST, 0, ssl=context) as inner:
            port = inner.sockets[0].getsockname()[1]

            async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await door.hold(_connect(reader, writer, port), writer)

            async with await asyncio.start_server(connect, _HOST, 0) as outer:
                try:
                    yield f"http://{_HOST}:{outer.sockets[0].getsockname()[1]}"
                finally:
                    outer.close()
                    inner.close()
                    await door.close()


@dataclass
class _Door:
    """Every connection that is served, so that none outlives the campaign."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def hold(self, work: object, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await work  # type: ignore[misc]
        finally:
            self.tasks.discard(task)
            writer.transport.abort()

    async def close(self) -> None:
        """End what is left."""
        left = set(self.tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)


async def _connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Take one client that asks for a name of the platform to the server here."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if method != "CONNECT" or target.rpartition(":")[0] not in NAMES or len(head) > _HEAD_BYTES:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await _splice(reader, writer, port)


async def _splice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Join a connection with a new one to a port here, until either ends."""
    back, there = await asyncio.open_connection(_HOST, port)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_carry(reader, there))
            group.create_task(_carry(back, writer))
    finally:
        there.transport.abort()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    # An end is handed on at once: neither side waits for the other's.
    writer.transport.abort()


@dataclass
class _Asked:
    """One request while it arrives."""

    headers: Headers
    body: bytearray = field(default_factory=bytearray)


class _Http2Link:
    """One HTTP/2 connection: requests in, answers out, several at a time."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        platform: httpx.AsyncClient,
    ) -> None:
        self._reader, self._writer, self._platform = reader, writer, platform
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self._http = h2.connection.H2Connection(config)
        self._asked: dict[int, _Asked] = {}
        self._room = asyncio.Event()

    async def serve(self) -> None:
        """Serve until the client leaves, or the platform does not answer."""
        self._http.initiate_connection()
        self._http.increment_flow_control_window(_WINDOW_BYTES)
        self._flush()
        with suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as answers:
                while data := await self._reader.read(_PIECE_BYTES):
                    for event in self._http.receive_data(data):
                        self._take(event, answers)
                    self._flush()
                # Whoever has hung up waits for no answer.
                raise ConnectionAbortedError

    def _take(self, event: h2.events.Event, answers: asyncio.TaskGroup) -> None:
        if isinstance(event, h2.events.RequestReceived):
            self._asked[event.stream_id] = _Asked([(str(k), str(v)) for k, v in event.headers])
        elif isinstance(event, h2.events.DataReceived):
            self._asked[event.stream_id].body += event.data
            length = event.flow_controlled_length
            self._http.acknowledge_received_data(length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            asked = self._asked.pop(event.stream_id)
            answers.create_task(self._answer(event.stream_id, asked))
        elif isinstance(event, h2.events.WindowUpdated):
            self._room.set()

    async def _answer(self, stream: int, asked: _Asked) -> None:
        """Pass a request on and its answer back; an error ends the whole connection."""
        try:
            answer = await self._pass_on(asked)
        except httpx.HTTPError as problem:
            raise ConnectionAbortedError from problem
        headers = [(":status", str(answer.status_code))]
        headers += [(k, v) for k, v in answer.headers.multi_items() if k not in _HOP_BY_HOP]
        self._http.send_headers(stream, headers)
        await self._send_body(stream, answer.content)

    async def _pass_on(self, asked: _Asked) -> httpx.Response:
        named = dict(asked.headers)
        headers = [
            (name, value)
            for name, value in asked.headers
            if not name.startswith(":") and name not in _HOP_BY_HOP
        ]
        headers.append((PRACTICE_HOST, named[":authority"].partition(":")[0]))
        if not any(name == "accept-encoding" for name, _ in headers):
            headers.append(("accept-encoding", "identity"))
        request = self._platform.build_request(
            named[":method"], named[":path"], headers=headers, content=bytes(asked.body)
        )
        return await self._platform.send(request)

    async def _send_body(self, stream: int, body: bytes) -> None:
        sent = 0
        while sent < len(body):
            room = min(
                self._http.local_flow_control_window(stream), self._http.max_outbound_frame_size
            )
            if room <= 0:
                self._room.clear()
                await self._room.wait()
                continue
            piece = body[sent : sent + room]
            self._http.send_data(stream, piece)
            sent += len(piece)
            self._flush()
        self._http.end_stream(stream)
        self._flush()

    def _flush(self) -> None:
        if data := self._http.data_to_send():
            self._writer.write(data)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, is_authority: bool
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    names: Sequence[x509.GeneralName] = [
        *(x509.DNSName(name) for name in NAMES),
        x509.IPAddress(ipaddress.ip_address(_HOST)),
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now + datetime.timedelta(days=5))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    return (
        builder
        if is_authority
        else builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
