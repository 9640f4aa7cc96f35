"""The agent as the operator starts it: ready, paired, stopped, killed, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from common.security.pairing import parse_pairing_line
from tests.support.agent_items import a_login, an_account
from tests.support.agent_link import DesktopLink, pair
from tests.support.agent_process import AgentProcess
from tests.support.waiting import wait_until

HEAVY = ("instagrapi", "playwright", "agent.drivers", "sqlmodel", "numpy", "PySide6")


async def test_agent_starts_pairs_and_stops_clean(tmp_path: Path) -> None:
    with AgentProcess.start(tmp_path / "agent") as agent:
        line = agent.pair_line()
        assert parse_pairing_line(line).agent_id == agent.agent_id
        paired = await pair(line)
        async with DesktopLink.open(paired) as desktop:
            assert desktop.peer is not None
            # The item's media never comes: a runner is not needed for it.
            agent_pid = agent.process.pid
        assert agent.stop() == 0
    assert not psutil.pid_exists(agent_pid)
    assert not (agent.data / "running.json").exists()
    assert not agent.data.with_name("agent.ready.json").exists()


async def test_agent_says_goodbye_when_it_stops(tmp_path: Path) -> None:
    with AgentProcess.start(tmp_path / "agent") as agent:
        paired = await pair(agent.pair_line())
        async with DesktopLink.open(paired) as desktop:
            agent.process.terminate()
            await desktop.until(lambda: desktop.ended, "the goodbye")
        assert desktop.ended is not None
        assert desktop.ended.message in ("The agent is stopping.", "closed")


async def test_killed_agent_keeps_its_identity_token_and_items(tmp_path: Path) -> None:
    item = a_login(an_account()).model_copy(update={"not_before": 4e9})
    with AgentProcess.start(tmp_path / "agent") as agent:
        paired = await pair(agent.pair_line())
        async with DesktopLink.open(paired) as desktop:
            await desktop.accept(item)
            await desktop.until(lambda: desktop.states(item.item_id) == ["assigned"], "assigned")
        agent.kill()
    with AgentProcess.start(tmp_path / "agent", port=str(0)) as again:
        assert again.agent_id == agent.agent_id
        async with DesktopLink.open(paired.at(again.port), desktop.cursor) as link:
            assert (await link.control("cancel", item.item_id)).done == [item.item_id]
            await link.until(lambda: link.states(item.item_id) == ["cancelled"], "cancelled")


def test_second_agent_on_one_folder_is_refused(tmp_path: Path) -> None:
    with AgentProcess.start(tmp_path / "agent") as agent:
        second = subprocess.run(
            [sys.executable, "-m", "agent.cli", "run", "--data", str(agent.data), "--port", "0"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert "Is another agent running" in second.stderr
        assert agent.is_running


def test_pair_without_an_agent_says_how_to_start_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", "pair", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "flotilla-agent run" in done.stderr


def test_doctor_names_what_it_found(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", "doctor", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for name in ("Python", "Data folder", "Disk", "Clock", "ffmpeg", "Chromium"):
        assert name in done.stdout


def test_main_process_loads_no_driver() -> None:
    code = (
        "import sys, agent.app, agent.cli; "
        f"print([name for name in sys.modules if name.startswith({HEAVY!r})])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_private_files_are_closed_to_others(tmp_path: Path) -> None:
    with AgentProcess.start(tmp_path / "agent") as agent:
        agent.pair_line()
        for name in ("tls-key.pem", "agent-key", "journal.sqlite", "pairing.json", "running.json"):
            mode = wait_until((agent.data / name).stat, name).st_mode
            assert mode & 0o077 == 0, name
        assert agent.data.stat().st_mode & 0o077 == 0
