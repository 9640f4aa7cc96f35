"""Opens one WebSocket to an agent, and says in our words why it could not."""

import ssl
from dataclasses import dataclass

from pydantic import SecretStr, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.http11 import Response
from websockets.typing import Subprotocol

from common.errors import (
    AgentUnreachableError,
    CertificateMismatchError,
    FlotillaError,
    LinkError,
    NotAnAgentError,
    ProtocolVersionError,
    TokenRefusedError,
    WireError,
    from_wire,
)
from common.protocol.messages import SUBPROTOCOL
from desktop_app.core.links.tls import not_tls, unreachable

_OPEN_SECONDS = 15.0
_CLOSE_SECONDS = 2.0
_UNAUTHORISED = 401


@dataclass(frozen=True, slots=True)
class AgentAddress:
    """Where an agent is and what opens its door."""

    agent_id: str
    host: str
    port: int
    context: ssl.SSLContext
    token: SecretStr

    @property
    def where(self) -> str:
        """Host and port, to show."""
        return f"{self.host}:{self.port}"


async def dial(address: AgentAddress, path: str, *, message_limit: int) -> ClientConnection:
    """Open a WebSocket at an agent; its certificate is checked before anything is sent.

    Raises a LinkError: AgentUnreachableError, NotAnAgentError, CertificateMismatchError,
    TokenRefusedError or ProtocolVersionError.
    """
    host = f"[{address.host}]" if ":" in address.host else address.host
    try:
        socket = await connect(
            f"wss://{host}:{address.port}{path}",
            ssl=address.context,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers={"Authorization": f"Bearer {address.token.get_secret_value()}"},
            user_agent_header=None,
            proxy=None,
            compression=None,
            ping_interval=None,
            open_timeout=_OPEN_SECONDS,
            close_timeout=_CLOSE_SECONDS,
            max_size=message_limit,
        )
    except Exception as problem:  # noqa: BLE001 - translated here, once
        raise _translate(problem, address.where) from None
    if socket.subprotocol != SUBPROTOCOL:
        await socket.close()
        raise ProtocolVersionError(
            f"The agent at {address.where} does not speak {SUBPROTOCOL}.", subject=address.where
        )
    return socket


def _translate(problem: Exception, where: str) -> FlotillaError:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return CertificateMismatchError(
            f"The machine at {where} does not hold the key of the agent that was paired.",
            subject=where,
        )
    if isinstance(problem, ssl.SSLError):
        return not_tls(where)
    if isinstance(problem, InvalidStatus):
        return _refusal(problem.response, where)
    if isinstance(problem, OSError | TimeoutError | EOFError):
        return unreachable(where, problem)
    if isinstance(problem, InvalidHandshake):
        return _no_agent(where)
    return LinkError(f"The link to {where} failed ({type(problem).__name__}).", subject=where)


def _refusal(response: Response, where: str) -> FlotillaError:
    if response.status_code == _UNAUTHORISED:
        return TokenRefusedError(
            f"The agent at {where} does not accept this desktop's token.", subject=where
        )
    error = _error_in(response.body or b"")
    if isinstance(error, LinkError):
        return error
    if error is not None:
        return LinkError(error.message, advice=error.advice, subject=where)
    return _no_agent(where)


def _error_in(body: bytes | bytearray) -> FlotillaError | None:
    try:
        return from_wire(WireError.model_validate_json(bytes(body)))
    except ValidationError:
        return None


def _no_agent(where: str) -> NotAnAgentError:
    return NotAnAgentError(
        f"Something answers at {where}, but it is not a Flotilla agent.", subject=where
    )


def is_refusal(error: FlotillaError) -> bool:
    """Say whether an agent, or what stands in its place, answered and said no."""
    refusals = NotAnAgentError | CertificateMismatchError | TokenRefusedError | ProtocolVersionError
    return isinstance(error, refusals) and not isinstance(error, AgentUnreachableError)
