"""TLS towards agents: read a certificate before trusting it, then trust only that one."""

import asyncio
import ssl

from common.errors import AgentUnreachableError, NotAnAgentError
from common.security.pairing import agent_id_of

CONNECT_SECONDS = 10.0
HANDSHAKE_SECONDS = 8.0
_HANG_UP_SECONDS = 2.0


def pinned_context(certificate_pem: str) -> ssl.SSLContext:
    """Return a context that trusts this one certificate and nothing else.

    Names are not checked: the certificate is the identity. Raises NotAnAgentError where the text
    is no certificate.
    """
    context = _bare_context()
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(cadata=certificate_pem)
    except ssl.SSLError:
        raise NotAnAgentError("The stored certificate of this agent cannot be read.") from None
    return context


async def read_certificate(host: str, port: int) -> bytes:
    """Return the certificate (DER) that a server shows, and hang up. Sends nothing of ours.

    Raises AgentUnreachableError where nothing answers, NotAnAgentError where no TLS is spoken.
    """
    context = _bare_context()
    context.verify_mode = ssl.CERT_NONE
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS + HANDSHAKE_SECONDS):
            _, writer = await asyncio.open_connection(
                host, port, ssl=context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
    except (ssl.SSLError, ConnectionResetError, ConnectionAbortedError):
        raise not_tls(where) from None
    except (OSError, TimeoutError) as problem:
        raise unreachable(where, problem) from None
    try:
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        await _hang_up(writer)
    if not certificate:
        raise not_tls(where)
    return bytes(certificate)


def is_certificate_of(certificate_der: bytes, agent_id: str) -> bool:
    """Say whether an agent id was made from this certificate."""
    return agent_id_of(certificate_der) == agent_id


def unreachable(where: str, problem: BaseException) -> AgentUnreachableError:
    """Say that nothing answers at an address, and why."""
    if isinstance(problem, TimeoutError):
        why = "no answer in time"
    elif isinstance(problem, ConnectionRefusedError):
        why = "the connection was refused"
    else:
        why = getattr(problem, "strerror", None) or type(problem).__name__
    return AgentUnreachableError(f"No agent answers at {where}: {why}.", subject=where)


def not_tls(where: str) -> NotAnAgentError:
    """Say that something answers at an address and does not speak TLS as an agent does."""
    return NotAnAgentError(
        f"Something answers at {where}, but it is not a Flotilla agent: it speaks no TLS.",
        subject=where,
    )


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        async with asyncio.timeout(_HANG_UP_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
