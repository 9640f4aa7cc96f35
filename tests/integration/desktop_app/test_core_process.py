"""The core as a process: found, started once, refused twice, and gone when nobody needs it."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from common.errors import (
    CoreUnreachableError,
    InputError,
    NotAnAgentError,
    NotFoundError,
    TokenRefusedError,
)
from desktop_app.client import launcher
from desktop_app.client.core_client import CoreClient
from desktop_app.client.launcher import CoreOptions
from desktop_app.contract import routes
from desktop_app.contract.agents import PairAgent
from desktop_app.contract.changes import Closing, Reset
from desktop_app.contract.runs import RunTask, Targets
from tests.support.core_process import CoreProcess, core_command, core_options
from tests.support.waiting import wait_until, wait_until_async

_REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "core"


async def test_the_endpoint_is_private_and_goes_with_the_core(data: Path) -> None:
    with CoreProcess.start(data) as core:
        file = data / routes.ENDPOINT_FILE
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        async with core.client() as client:
            assert (await client.overview()).accounts == 0
        assert core.stop() == 0
        assert not file.exists()


async def test_only_our_own_clients_are_let_in(data: Path) -> None:
    with CoreProcess.start(data) as core:
        token = core.endpoint.token.get_secret_value()
        good = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=core.endpoint.url, trust_env=False) as http:
            assert (await http.get(routes.HEALTH)).status_code == 401
            wrong = {"Authorization": "Bearer guess"}
            assert (await http.get(routes.HEALTH, headers=wrong)).status_code == 401
            page = good | {"Origin": "https://example.org"}
            assert (await http.get(routes.HEALTH, headers=page)).status_code == 403
            bent = good | {"Host": "example.org"}
            assert (await http.get(routes.HEALTH, headers=bent)).status_code == 403
            assert (await http.get(routes.HEALTH, headers=good)).status_code == 200
        stranger = core.endpoint.model_copy(update={"token": SecretStr("guess")})
        async with CoreClient.connect(stranger) as client:
            with pytest.raises(TokenRefusedError):
                await client.overview()
            async with client.changes() as stream:
                with pytest.raises((TokenRefusedError, StopAsyncIteration)):
                    await anext(stream)


async def test_errors_come_back_as_they_were_raised(data: Path) -> None:
    with CoreProcess.start(data) as core:
        async with core.client() as client:
            with pytest.raises(InputError) as caught:
                await client.pair_agent(PairAgent(line=SecretStr("flotilla://nowhere")))
            assert caught.value.field == "port"
            with pytest.raises(NotFoundError, match="telepathy"):
                await client.run_task(RunTask(task="telepathy", parameters={}, targets=Targets()))
            web = core.endpoint.url.removeprefix("http://")
            line = f"flotilla://{web}/{'a' * 52}#{'c' * 22}"
            with pytest.raises(NotAnAgentError):
                await client.pair_agent(PairAgent(line=SecretStr(line)))
            assert [task.kind for task in await client.task_types()]


async def test_a_request_that_does_not_fit_names_the_field_and_hides_the_value(
    data: Path,
) -> None:
    with CoreProcess.start(data) as core:
        good = {"Authorization": f"Bearer {core.endpoint.token.get_secret_value()}"}
        async with httpx.AsyncClient(base_url=core.endpoint.url, headers=good) as http:
            answer = await http.post(
                routes.ACCOUNTS_IMPORT, json={"text": "ada:canary-4711", "unknown": 1}
            )
    assert answer.status_code == 422
    assert answer.json()["field"] == "unknown"
    assert "canary" not in answer.text


def test_a_second_core_on_the_same_store_is_refused(data: Path) -> None:
    with CoreProcess.start(data) as core:
        second = subprocess.run(
            core_command(data), cwd=_REPOSITORY, capture_output=True, text=True, timeout=60
        )
        assert second.returncode == routes.LOCK_HELD_STATUS
        assert str(core.process.pid) in second.stderr
        assert "Traceback" not in second.stderr


async def test_clients_that_start_at_once_find_one_core_which_ends_when_they_leave(
    data: Path,
) -> None:
    options = core_options(data)
    found = await asyncio.gather(*(launcher.find_or_start(options) for _ in range(3)))
    assert len({endpoint.pid for endpoint in found}) == 1
    async with CoreClient.connect(found[0]) as client:
        stream = client.changes()
        assert isinstance(await anext(stream), Reset)
        await client.shutdown()
        assert isinstance(await anext(stream), Closing)
        await stream.aclose()
    file = data / routes.ENDPOINT_FILE
    await wait_until_async(lambda: not file.exists(), "the core has ended", seconds=20)


async def test_an_idle_core_ends_by_itself(data: Path) -> None:
    options = core_options(data)
    async with await launcher.connect(options) as client:
        await client.overview()
    file = data / routes.ENDPOINT_FILE
    await wait_until_async(lambda: not file.exists(), "the idle core has ended", seconds=30)
    assert await launcher.find(data) is None


async def test_a_core_that_cannot_start_shows_why(tmp_path: Path) -> None:
    data = tmp_path / "core"
    options = CoreOptions(data, vault="key-file", key_file=data / "inside.key")
    with pytest.raises(CoreUnreachableError) as caught:
        await launcher.find_or_start(options)
    assert "key file" in caught.value.advice


async def test_streams_find_a_core_that_was_started_again(data: Path) -> None:
    core = CoreProcess.start(data)
    try:

        async def locate() -> routes.Endpoint:
            endpoint = launcher.read_endpoint(data)
            if endpoint is None:
                raise CoreUnreachableError("Not yet.")
            return endpoint

        async with (
            CoreClient.connect(core.endpoint, locate) as client,
            client.changes() as stream,
            asyncio.timeout(60),
        ):
            assert isinstance(await anext(stream), Reset)
            core.kill()
            core = CoreProcess.start(data)
            assert isinstance(await anext(stream), Reset)
            assert (await client.overview()).accounts == 0
    finally:
        core.stop()


def run_cli(data: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    options = core_options(data)
    program = [sys.executable, "-m", "desktop_app.cli", "--data", str(data)]
    vault = ["--vault", options.vault, "--key-file", str(options.key_file)]
    return subprocess.run(
        [*program, *vault, *arguments],
        cwd=_REPOSITORY,
        input=text,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_the_command_line_does_what_the_window_does(data: Path, tmp_path: Path) -> None:
    with CoreProcess.start(data):
        refused = run_cli(data, "accounts", "import", "-", text="ada:secret-4711")
        assert refused.returncode == 2
        assert "Confirm" in refused.stderr
        assert "secret-4711" not in refused.stderr + refused.stdout

        practice = ["--platform", "practice", "--platform-url", "http://127.0.0.1:1"]
        done = run_cli(
            data, "accounts", "import", "-", *practice, "--yes-i-may-manage-these",
            "--tag", "summer", text="ada:secret-4711\nbob:secret-4712",
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")

        bad = run_cli(data, "accounts", "import", "-", *practice, "--dry-run", text="ada")
        assert bad.returncode == 1
        assert bad.stdout.startswith("line 1, ")

        listed = json.loads(run_cli(data, "accounts", "list", "--json").stdout)
        assert [row["username"] for row in listed] == ["ada", "bob"]
        assert [row["tags"] for row in listed] == [["summer"], ["summer"]]

        judged = run_cli(
            data, "tasks", "run", "bulk-login", "--target", "tag:summer", "--dry-run", "--json"
        )
        assert judged.returncode == 1
        problems = json.loads(judged.stdout)["preflight"]["problems"]
        assert "No agent is paired" in problems[0]["message"]

        odd = run_cli(data, "tasks", "run", "bulk-login", "--target", "summer")
        assert odd.returncode == 2
        assert "tag:NAME" in odd.stderr

        missing = run_cli(data, "runs", "watch", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
        assert missing.returncode == 1
        assert "Traceback" not in missing.stderr
        assert run_cli(data, "doctor").returncode == 0


def test_a_core_stopped_by_the_command_line_ends(data: Path) -> None:
    with CoreProcess.start(data) as core:
        assert run_cli(data, "shutdown").returncode == 0
        wait_until(lambda: core.process.poll() is not None, "the core has ended", seconds=20)
        assert core.process.returncode == 0
