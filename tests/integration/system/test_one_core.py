"""One core per store: whoever comes second learns of it, or becomes a client of the first."""

from __future__ import annotations

import asyncio
from pathlib import Path

from desktop_app.contract.routes import LOCK_HELD_STATUS
from tests.support.command_line import flotilla
from tests.support.core_process import CoreProcess, core_command


async def test_second_core_is_refused_and_the_command_line_uses_the_first(tmp_path: Path) -> None:
    with CoreProcess.start(tmp_path / "core") as core:
        second = await asyncio.create_subprocess_exec(
            *core_command(core.data),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            said, _ = await second.communicate()
        assert second.returncode == LOCK_HELD_STATUS
        text = said.decode()
        assert "Traceback" not in text
        assert str(core.data) in text or str(core.process.pid) in text

        listed = await flotilla(core.data, "accounts", "list")
        assert listed.status == 0
        assert listed.value == []
        async with core.client() as client:
            assert (await client.overview()).accounts == 0
        assert core.process.poll() is None


async def test_two_commands_at_once_start_one_core(tmp_path: Path) -> None:
    data, key = tmp_path / "core", tmp_path / "core.key"
    options = ("--vault", "key-file", "--key-file", str(key))
    try:
        both = await asyncio.gather(
            flotilla(data, *options, "accounts", "list"),
            flotilla(data, *options, "agents", "list"),
        )
        assert [(said.status, said.value) for said in both] == [(0, []), (0, [])]
    finally:
        await flotilla(data, "shutdown")
