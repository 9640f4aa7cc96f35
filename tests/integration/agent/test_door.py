"""The agent's door: who gets in, who does not, and what they are told."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from agent.server.certificate import load_identity
from agent.server.pairing import is_code_open
from common.domain.ids import new_id
from common.errors import (
    CertificateMismatchError,
    PairingRefusedError,
    TokenRefusedError,
    WireError,
)
from common.infra.paths import make_private_folder
from common.protocol.messages import BULK_PATH, CONTROL_PATH, SUBPROTOCOL, AskInventory
from common.security.pairing import CODE_LIFETIME_SECONDS, new_code
from tests.integration.agent.conftest import RunningAgent
from tests.support.agent_items import a_login, an_account
from tests.support.agent_link import DesktopLink, Paired, open_bulk, pair, post_code


async def dial(
    paired: Paired, path: str, headers: Mapping[str, str], *protocols: str
) -> tuple[int, WireError]:
    """Try a link that is to be refused; return the status and the error in the answer."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(
            f"wss://{paired.host}:{paired.port}{path}",
            ssl=paired.context(),
            additional_headers=headers,
            subprotocols=[Subprotocol(name) for name in protocols] or None,
            proxy=None,
        )
    response = refused.value.response
    return response.status_code, WireError.model_validate_json(bytes(response.body))


async def test_code_is_traded_for_a_token_once(running: RunningAgent) -> None:
    line = running.line()
    paired = await pair(line)
    assert paired.scope == "control"
    async with paired.client() as client:
        health = (await client.get("/api/v1/health")).json()
    assert health["agent_id"] in line
    again = await post_code(line, new_id())
    assert again.status_code == 403
    assert WireError.model_validate_json(again.content).code == PairingRefusedError.code


async def test_wrong_codes_close_the_code_at_the_fifth(running: RunningAgent) -> None:
    line = running.line()
    for _ in range(5):
        answer = await post_code(line, new_id(), new_code())
        assert answer.status_code == 403
        assert "wrong" in answer.json()["message"]
    assert not is_code_open(running.data, time.time())
    late = await post_code(line, new_id())
    assert late.status_code == 429


async def test_expired_code_is_refused(running: RunningAgent) -> None:
    line = running.line(now=time.time() - CODE_LIFETIME_SECONDS - 1)
    answer = await post_code(line, new_id())
    assert answer.status_code == 403
    assert "expired" in answer.json()["message"]


async def test_unreadable_pairing_request_is_refused(running: RunningAgent) -> None:
    paired = await pair(running.line())
    async with paired.client() as client:
        assert (await client.post("/v1/pair", content=b"{}")).status_code == 400
        assert (await client.post("/v1/pair", content=b"x" * 10_000)).status_code == 400


async def test_second_store_may_watch_and_not_command(
    running: RunningAgent, paired: Paired
) -> None:
    other = await pair(running.line())
    assert other.scope == "read"
    async with DesktopLink.open(other) as desktop:
        await desktop.ask(AskInventory(id=new_id()))
        with pytest.raises(TokenRefusedError):
            await desktop.accept(a_login(an_account()))
    status, error = await dial(other, BULK_PATH, other.headers(), SUBPROTOCOL)
    assert (status, error.code) == (403, "token_refused")


async def test_take_over_makes_the_new_store_the_owner(
    running: RunningAgent, paired: Paired
) -> None:
    successor = await pair(running.line(take_over=True))
    assert successor.scope == "control"
    async with DesktopLink.open(paired) as old:
        with pytest.raises(TokenRefusedError):
            await old.accept(a_login(an_account()))
    async with DesktopLink.open(successor) as new:
        await new.accept(a_login(an_account()))


async def test_wrong_token_is_refused_and_then_slowed_down(paired: Paired) -> None:
    for number in range(5):
        wrong = {"Authorization": f"Bearer wrong-{number}"}
        status, error = await dial(paired, CONTROL_PATH, wrong, SUBPROTOCOL)
        assert (status, error.code) == (401, TokenRefusedError.code)
    status, error = await dial(paired, CONTROL_PATH, wrong, SUBPROTOCOL)
    assert (status, error.code) == (429, "link")
    async with DesktopLink.open(paired) as desktop:
        assert desktop.peer is not None


@pytest.mark.parametrize("protocols", [(), ("flotilla.v9",)])
async def test_unknown_subprotocol_is_refused(paired: Paired, protocols: tuple[str, ...]) -> None:
    status, error = await dial(paired, CONTROL_PATH, paired.headers(), *protocols)
    assert (status, error.code) == (400, "protocol_version")


async def test_unknown_protocol_version_gets_a_goodbye(paired: Paired) -> None:
    newer = {"proto_minimum": 90, "proto_maximum": 91}
    async with DesktopLink.open(paired, hello=newer) as desktop:
        await desktop.until(lambda: desktop.ended, "the end")
    assert desktop.ended is not None
    assert desktop.ended.code == "protocol_version"


async def test_token_of_one_store_does_not_serve_another(paired: Paired) -> None:
    async with DesktopLink.open(paired, hello={"store_id": new_id()}) as desktop:
        await desktop.until(lambda: desktop.ended, "the end")
    assert isinstance(desktop.ended, TokenRefusedError)


@pytest.mark.parametrize("path", ["/api/v1/health/simple", "/api/v1/health", "/v1/pair"])
async def test_web_pages_are_refused(paired: Paired, path: str) -> None:
    async with paired.client() as client:
        answer = await client.get(path, headers={"Origin": "https://example.org"})
    assert answer.status_code == 403


async def test_foreign_host_name_is_refused(paired: Paired) -> None:
    async with paired.client() as client:
        answer = await client.get("/api/v1/health/simple", headers={"Host": "evil.example:443"})
        assert answer.status_code == 403
        assert (
            await client.get("/api/v1/health/simple", headers={"Host": "localhost"})
        ).json() == {"status": "ok"}


async def test_only_open_routes_answer_without_a_token(paired: Paired) -> None:
    async with httpx.AsyncClient(
        base_url=f"https://{paired.host}:{paired.port}", verify=paired.context(), trust_env=False
    ) as stranger:
        assert (await stranger.get("/api/v1/health/simple")).json() == {"status": "ok"}
        for path in ("/api/v1/health", "/api/v1/metrics"):
            assert (await stranger.get(path)).status_code == 401
        assert (await stranger.get("/nothing/here")).status_code == 401
    async with paired.client() as client:
        assert (await client.get("/nothing/here")).status_code == 404
        metrics = (await client.get("/api/v1/metrics")).text
    assert "flotilla_agent_items_running 0.0" in metrics


async def test_another_key_fails_in_the_handshake(paired: Paired, tmp_path: Path) -> None:
    stranger = load_identity(make_private_folder(tmp_path / "other"))
    wrong = Paired(
        paired.host,
        paired.port,
        stranger.certificate_file.read_text(),
        paired.store_id,
        paired.token,
        paired.scope,
    )
    with pytest.raises(ssl.SSLCertVerificationError):
        async with open_bulk(wrong):
            raise CertificateMismatchError("it let us in")


async def test_newer_link_of_a_store_replaces_the_older(paired: Paired) -> None:
    async with DesktopLink.open(paired) as older, DesktopLink.open(paired) as newer:
        await older.until(lambda: older.ended, "the goodbye")
        assert older.ended is not None
        assert "newer link" in older.ended.message
        await newer.ask(AskInventory(id=new_id()))


async def test_silent_and_talkative_strangers_are_dropped(paired: Paired) -> None:
    async with DesktopLink.open(paired) as desktop:
        await desktop.socket.send(json.dumps({"t": "hello", "app": "again", "clock": 1.0}))
        await desktop.until(lambda: desktop.ended, "the end")
    async with DesktopLink.open(paired) as desktop:
        await desktop.socket.send("x" * 70_000)
        await desktop.until(lambda: desktop.ended, "the end")
