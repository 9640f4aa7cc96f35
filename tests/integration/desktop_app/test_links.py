"""First contact and later ones, with what is no agent, another agent, or an unwilling one."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from common.domain.ids import new_id
from common.errors import (
    AgentUnreachableError,
    CertificateMismatchError,
    FlotillaError,
    NotAnAgentError,
    PairingRefusedError,
    ProtocolVersionError,
    TokenRefusedError,
)
from common.protocol.messages import CONTROL_MESSAGE_LIMIT, CONTROL_PATH
from common.security.pairing import PairingLine, agent_id_of, new_code
from desktop_app.core.links.dial import AgentAddress, dial, is_refusal
from desktop_app.core.links.pairing import pair
from desktop_app.core.links.tls import pinned_context

TOKEN = "token-that-nobody-else-may-see"


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as an agent makes them."""

    pem: str
    der: bytes
    chain: Path

    @property
    def agent_id(self) -> str:
        return agent_id_of(self.der)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return context


def make_certificate(folder: Path, name: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain = folder / f"{name}.pem"
    chain.write_bytes(pem + secret)
    return Certificate(pem.decode(), certificate.public_bytes(serialization.Encoding.DER), chain)


@dataclass
class Server:
    """Something that listens, and remembers what it was sent inside the encryption."""

    port: int = 0
    heard: bytearray = field(default_factory=bytearray)


@asynccontextmanager
async def server(answer: bytes, certificate: Certificate | None = None) -> AsyncIterator[Server]:
    """A server that gives one answer to whatever is sent first."""
    found = Server()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10):
                found.heard += await reader.read(65536)
                writer.write(answer)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    context = certificate.server_context() if certificate else None
    listening = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with listening:
        found.port = listening.sockets[0].getsockname()[1]
        yield found


def http(status: str, error: FlotillaError | None = None, body: bytes = b"") -> bytes:
    body = error.to_wire().model_dump_json().encode() if error else body
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@pytest.fixture
def agent(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, "agent")


@pytest.fixture
def stranger(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, "stranger")


def line(found: Server, certificate: Certificate) -> PairingLine:
    return PairingLine("127.0.0.1", found.port, certificate.agent_id, new_code())


async def pair_with(found: Server, certificate: Certificate) -> None:
    await pair(line(found, certificate), new_id(), "desk")


async def dial_to(found: Server, certificate: Certificate) -> None:
    address = AgentAddress(
        certificate.agent_id,
        "127.0.0.1",
        found.port,
        pinned_context(certificate.pem),
        SecretStr(TOKEN),
    )
    await dial(address, CONTROL_PATH, message_limit=CONTROL_MESSAGE_LIMIT)


async def test_pairing_where_nothing_listens_says_so(agent: Certificate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(AgentUnreachableError, match="refused"):
        await pair_with(Server(port), agent)


async def test_pairing_with_a_web_server_is_recognised(agent: Certificate) -> None:
    async with server(http("200 OK", body=b"welcome")) as web:
        with pytest.raises(NotAnAgentError, match="no TLS"):
            await pair_with(web, agent)


async def test_nothing_is_sent_to_another_certificate(
    agent: Certificate, stranger: Certificate
) -> None:
    async with server(b"", stranger) as found:
        with pytest.raises(CertificateMismatchError):
            await pair_with(found, agent)
        assert not found.heard


async def test_a_tls_server_that_cannot_pair_is_no_agent(agent: Certificate) -> None:
    async with server(http("404 Not Found", body=b"<html>"), agent) as found:
        with pytest.raises(NotAnAgentError, match="cannot pair"):
            await pair_with(found, agent)


async def test_a_code_that_was_used_is_refused_with_advice(agent: Certificate) -> None:
    refusal = PairingRefusedError("This code was used already.")
    async with server(http("403 Forbidden", refusal), agent) as found:
        with pytest.raises(PairingRefusedError, match="used already") as caught:
            await pair_with(found, agent)
    assert "flotilla-agent pair" in caught.value.advice


async def test_a_link_sends_nothing_to_another_certificate(
    agent: Certificate, stranger: Certificate
) -> None:
    async with server(b"", stranger) as found:
        with pytest.raises(CertificateMismatchError) as caught:
            await dial_to(found, agent)
        assert not found.heard
    assert is_refusal(caught.value)


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        ("401 Unauthorized", TokenRefusedError("This token is not known."), TokenRefusedError),
        ("401 Unauthorized", None, TokenRefusedError),
        ("400 Bad Request", ProtocolVersionError("Only flotilla.v2."), ProtocolVersionError),
        ("404 Not Found", None, NotAnAgentError),
        ("200 OK", None, NotAnAgentError),
    ],
)
async def test_a_link_that_is_refused_says_why(
    agent: Certificate, status: str, error: FlotillaError | None, expected: type[FlotillaError]
) -> None:
    async with server(http(status, error), agent) as found:
        with pytest.raises(expected) as caught:
            await dial_to(found, agent)
    assert caught.value.advice
    assert TOKEN not in str(caught.value)


async def test_a_link_to_something_without_tls_sends_no_token(agent: Certificate) -> None:
    async with server(http("200 OK")) as found:
        with pytest.raises(NotAnAgentError):
            await dial_to(found, agent)
        assert TOKEN.encode() not in found.heard


async def test_a_link_to_a_dead_port_is_unreachable_and_no_refusal(agent: Certificate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(AgentUnreachableError) as caught:
        await dial_to(Server(port), agent)
    assert not is_refusal(caught.value)
