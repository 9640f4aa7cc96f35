"""Pairing: from the line that an agent prints to a certificate and a token.

First contact reads the certificate and sends nothing. Only when its SHA-256 is the agent id of
the line is the one-time code sent, over a second connection that trusts that certificate alone.
"""

import ssl
from dataclasses import dataclass

import httpx
from pydantic import SecretStr, ValidationError

from common.errors import (
    AgentUnreachableError,
    CertificateMismatchError,
    FlotillaError,
    NotAnAgentError,
    WireError,
    from_wire,
)
from common.security.pairing import PAIR_PATH, PairingLine, PairRequest, PairResponse
from desktop_app.core.links.tls import is_certificate_of, pinned_context, read_certificate

_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class PairedAgent:
    """What a pairing yields; the token is a secret."""

    agent_id: str
    name: str
    host: str
    port: int
    certificate: str
    """PEM."""
    token: SecretStr
    scope: str


async def pair(line: PairingLine, store_id: str, desktop_name: str) -> PairedAgent:
    """Trade the line's code for a token.

    Raises a LinkError that says what is wrong: unreachable, not an agent, another certificate
    than the line names, or a code that the agent refuses.
    """
    der = await read_certificate(line.host, line.port)
    where = f"{line.host}:{line.port}"
    if not is_certificate_of(der, line.agent_id):
        raise CertificateMismatchError(
            f"The machine at {where} is not the agent that the pairing line names.", subject=where
        )
    certificate = ssl.DER_cert_to_PEM_cert(der)
    request = PairRequest(code=SecretStr(line.code), store_id=store_id, desktop_name=desktop_name)
    answer = await _trade(line, certificate, request)
    if answer.agent_id != line.agent_id:
        raise NotAnAgentError(f"The agent at {where} answered under another id.", subject=where)
    return PairedAgent(
        agent_id=line.agent_id,
        name=answer.agent_name,
        host=line.host,
        port=line.port,
        certificate=certificate,
        token=answer.token,
        scope=answer.scope,
    )


async def _trade(line: PairingLine, certificate: str, request: PairRequest) -> PairResponse:
    where = f"{line.host}:{line.port}"
    host = f"[{line.host}]" if ":" in line.host else line.host
    url = f"https://{host}:{line.port}{PAIR_PATH}"
    headers = {"Content-Type": "application/json"}
    try:
        async with httpx.AsyncClient(
            verify=pinned_context(certificate), trust_env=False, timeout=_SECONDS
        ) as http:
            response = await http.post(url, content=request.model_dump_json(), headers=headers)
    except httpx.TimeoutException:
        raise AgentUnreachableError(
            f"The agent at {where} did not answer within {_SECONDS:.0f} s.", subject=where
        ) from None
    except httpx.TransportError as problem:
        # Its text may quote the request; the class says enough.
        raise AgentUnreachableError(
            f"The connection to {where} broke while pairing ({type(problem).__name__}).",
            subject=where,
        ) from None
    if response.is_success:
        try:
            return PairResponse.model_validate_json(response.content)
        except ValidationError:
            raise _no_agent(where) from None
    raise _refusal(response, where)


def _refusal(response: httpx.Response, where: str) -> FlotillaError:
    try:
        return from_wire(WireError.model_validate_json(response.content))
    except ValidationError:
        return _no_agent(where)


def _no_agent(where: str) -> NotAnAgentError:
    return NotAnAgentError(
        f"Something answers at {where}, but it is not a Flotilla agent: it cannot pair.",
        subject=where,
    )
