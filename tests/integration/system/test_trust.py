"""Whom the desktop talks to: wrong certificates, tokens, codes, versions and addresses."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from agent.server.certificate import load_identity
from agent.server.pairing import open_code
from common.domain.states import LinkState
from common.errors import (
    AgentUnreachableError,
    CertificateMismatchError,
    FlotillaError,
    InputError,
    NotAnAgentError,
    PairingRefusedError,
    WireError,
)
from common.protocol.messages import AgentCard, Hello
from common.security.pairing import CODE_LIFETIME_SECONDS, new_code, parse_pairing_line
from desktop_app.client.core_client import CoreClient
from desktop_app.contract.agents import ForgetAgent
from tests.support.impostor import Impostor, listening
from tests.support.system import System, paired_system
from tests.support.waiting import wait_until_async


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A paired system; each test leaves the agent in its place, and trusted."""
    with paired_system(tmp_path_factory.mktemp("trusting"), browser_slots="0") as system:
        yield system


async def _refused(client: CoreClient, system: System, line: str) -> FlotillaError:
    """Try to pair; returns why not. Whatever it is, it advises, and repeats no code."""
    with pytest.raises(FlotillaError) as caught:
        await system.pair(client, line)
    error = caught.value
    assert error.advice
    code = line.partition("#")[2]
    assert not code or code not in error.to_wire().model_dump_json()
    return error


@contextlib.asynccontextmanager
async def _in_place_of(system: System, impostor: Impostor) -> AsyncIterator[Impostor]:
    """Put something else where the agent was; the agent is back afterwards."""
    assert system.agent.stop() == 0
    impostor.port = system.agent.port
    async with listening(impostor):
        yield impostor
    system.restart_agent()


async def test_codes_that_are_used_wrong_expired_or_cut_off_are_refused(trusting: System) -> None:
    async with trusting.core.client() as client:
        used = trusting.agent.pair_line()
        await trusting.pair(client, used)
        assert isinstance(await _refused(client, trusting, used), PairingRefusedError)

        line = trusting.agent.pair_line()
        wrong = f"{line.partition('#')[0]}#{new_code()}"
        refusal = await _refused(client, trusting, wrong)
        assert isinstance(refusal, PairingRefusedError)
        assert "wrong" in refusal.message

        code = open_code(trusting.agent.data, now=time.time() - CODE_LIFETIME_SECONDS - 1)
        refusal = await _refused(client, trusting, f"{line.partition('#')[0]}#{code}")
        assert isinstance(refusal, PairingRefusedError)
        assert "expired" in refusal.message

        refusal = await _refused(client, trusting, line[:-3])
        assert isinstance(refusal, InputError)
        assert refusal.field == "code"
        assert len((await client.agents()).rows) == 1


async def test_what_is_no_agent_is_named_as_such_and_told_nothing(
    trusting: System, tmp_path: Path
) -> None:
    async with trusting.core.client() as client:
        async with listening(Impostor(None)) as plain:
            refusal = await _refused(client, trusting, plain.line())
            assert isinstance(refusal, NotAnAgentError)
            assert str(plain.port) in refusal.message
            # All it heard is the beginning of TLS.
            assert plain.heard[:2] == b"\x16\x03"
            assert b"POST" not in plain.heard

        async with listening(Impostor(load_identity(tmp_path))) as stranger:
            agent_id = parse_pairing_line(trusting.agent.pair_line()).agent_id
            refusal = await _refused(client, trusting, stranger.line(agent_id))
            assert isinstance(refusal, CertificateMismatchError)
            assert stranger.connections == 1
            assert stranger.heard == b""

            # With the right id it is trusted, and then it turns out to be something else.
            refusal = await _refused(client, trusting, stranger.line())
            assert isinstance(refusal, NotAnAgentError)
            gone = stranger.line()

        assert isinstance(await _refused(client, trusting, gone), AgentUnreachableError)
        assert len((await client.agents()).rows) == 1


async def test_agent_of_another_protocol_version_is_refused_and_both_are_told(
    trusting: System, tmp_path: Path
) -> None:
    identity = load_identity(tmp_path)
    card = AgentCard(
        agent_id=identity.agent_id,
        name="from the future",
        boot_id="boot",
        epoch="epoch",
        lowest_seq=1,
        drivers=["private_api"],
        tasks=["bulk_upload"],
        browser_slots=0,
        capacity=1.0,
    )
    hello = Hello(proto_minimum=99, proto_maximum=99, app="99.0", clock=time.time(), agent=card)
    async with (
        trusting.core.client() as client,
        listening(Impostor(identity, hello.model_dump_json())) as future,
    ):
        row = await trusting.pair(client, future.line())
        assert row.link is LinkState.REFUSED
        _says(row.link_error, "protocol_version", "99")
        await wait_until_async(
            lambda: any('"goodbye"' in message for message in future.messages), "goodbye"
        )
        assert not any("token" in message for message in future.messages)
        await client.forget_agent(ForgetAgent(id=row.id))


async def test_reinstalled_agent_is_refused_before_anything_is_sent(
    trusting: System, tmp_path: Path
) -> None:
    async with trusting.core.client() as client:
        async with _in_place_of(trusting, Impostor(load_identity(tmp_path))) as stranger:
            row = await trusting.until_link(client, LinkState.REFUSED)
            _says(row.link_error, "certificate_mismatch", str(stranger.port))
            assert stranger.heard == b""
        await trusting.until_link(client, LinkState.ONLINE)

        async with _in_place_of(trusting, Impostor(None)) as plain:
            row = await trusting.until_link(client, LinkState.REFUSED)
            _says(row.link_error, "not_an_agent", str(plain.port))
            assert b"Bearer" not in plain.heard
        await trusting.until_link(client, LinkState.ONLINE)


async def test_revoked_token_is_refused_until_the_operator_pairs_again(trusting: System) -> None:
    async with trusting.core.client() as client:
        trusting.agent.stop()
        (trusting.agent.data / "paired.json").unlink()
        trusting.restart_agent()
        row = await trusting.until_link(client, LinkState.REFUSED)
        _says(row.link_error, "token_refused", str(row.port))

        # The desktop goes on knocking with it. That is no guessing: pairing anew works at once.
        async with httpx.AsyncClient(verify=False, trust_env=False) as http:  # noqa: S501
            for _ in range(10):
                url = f"https://127.0.0.1:{row.port}/api/v1/health"
                answer = await http.get(url, headers={"Authorization": "Bearer withdrawn"})
                assert answer.status_code == 401
        again = await trusting.pair(client)
        assert again.link is LinkState.ONLINE


def _says(error: WireError | None, code: str, part: str) -> None:
    assert error
    assert error.code == code
    assert part in error.message
    assert error.advice
