"""Real agents, real runners, a platform that fails: each post once, whatever is lost or killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from websockets.asyncio.client import ClientConnection

from common.access import AccountAccess
from common.domain.content import Baseline
from common.items import ItemSpec
from common.protocol.bulk import OfferBlob
from tests.support.agent_link import DesktopLink, Paired, blob_frames, open_bulk, pair
from tests.support.agent_process import AgentProcess
from tests.support.driving import photo_post, seed_account
from tests.support.item_messages import login_item, upload_item
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo
from tests.support.waiting import wait_until_async

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills as only POSIX can")


@dataclass
class Stage:
    """A paired agent, a platform, and one signed-in account with a photo."""

    practice: PracticeProcess
    agent: AgentProcess
    paired: Paired
    account: AccountAccess
    photo: Path
    folder: Path

    def item(self, caption: str) -> ItemSpec:
        """An item that publishes the photo."""
        return upload_item(self.account, self.folder, photo_post(self.photo, caption)).item

    def restart(self) -> None:
        """Start the agent again on its folder."""
        self.agent = AgentProcess.start(self.agent.data)
        self.paired = self.paired.at(self.agent.port)

    def posts(self) -> list[str]:
        """Ids of what is published in truth."""
        return [post["post_id"] for post in self.practice.ledger(kind="published")]


async def set_stage(practice: PracticeProcess, agent: AgentProcess, folder: Path) -> Stage:
    account = seed_account(practice, "ada")
    photo = make_photo(folder / "a.jpg")
    paired = await pair(agent.pair_line())
    async with DesktopLink.open(paired) as desktop, open_bulk(paired) as bulk:
        await _send_blob(bulk, photo)
        login = login_item(account, folder).item
        await desktop.accept(login)
        await desktop.until(lambda: desktop.states(login.item_id)[-1:] == ["done"], "signed in")
        (saved,) = desktop.of("session_saved")
    signed = account.model_copy(
        update={
            "session": saved.session,
            "session_version": saved.version,
            "user_id": saved.user_id,
        }
    )
    return Stage(practice, agent, paired, signed, photo, folder)


async def _send_blob(bulk: ClientConnection, photo: Path) -> None:
    data = photo.read_bytes()
    sha256 = photo_post(photo).files[0].sha256
    await bulk.send(OfferBlob(channel=1, sha256=sha256, size=len(data)).model_dump_json())
    await bulk.recv()
    for frame in blob_frames(1, data):
        await bulk.send(frame)
        await bulk.recv()


async def until_done(desktop: DesktopLink, item: ItemSpec) -> None:
    await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")


@pytest.mark.parametrize(("victim", "is_applied"), [("agent", True), ("runner", False)])
async def test_a_kill_while_a_post_is_sent_leaves_it_once(
    tmp_path: Path, victim: str, is_applied: bool
) -> None:
    with (
        PracticeProcess.start(tmp_path / "practice") as practice,
        AgentProcess.start(tmp_path / "agent") as agent,
    ):
        stage = await set_stage(practice, agent, tmp_path)
        kind = "drop_after_apply" if is_applied else "drop_before_apply"
        practice.fault(kind, "*configure*")
        practice.fault("delay_ms", "*configure*", delay_ms=700)
        item = stage.item("Harbour at dusk")
        async with DesktopLink.open(stage.paired) as desktop:
            await desktop.accept(item)
            await desktop.until(
                lambda: [e for e in desktop.of("action_changed") if e.state == "sending"], "sending"
            )
            if victim == "agent":
                agent.kill()
            else:
                for child in psutil.Process(agent.process.pid).children():
                    os.kill(child.pid, signal.SIGKILL)
                await until_done(desktop, item)
        if victim == "agent":
            stage.restart()
            with stage.agent:
                async with DesktopLink.open(stage.paired, desktop.cursor) as desktop:
                    await until_done(desktop, item)
        confirmed = desktop.of("action_changed")[-1]
        assert confirmed.state == "confirmed"
        assert stage.posts() == [confirmed.remote_id]


async def test_a_post_that_only_the_desktop_knows_of_is_found_and_not_sent_again(
    tmp_path: Path,
) -> None:
    with (
        PracticeProcess.start(tmp_path / "practice") as practice,
        AgentProcess.start(tmp_path / "agent") as agent,
    ):
        stage = await set_stage(practice, agent, tmp_path)
        item = stage.item("Harbour at dusk")
        async with DesktopLink.open(stage.paired) as desktop:
            await desktop.accept(item)
            await until_done(desktop, item)
        agent.stop()
        (agent.data / "journal.sqlite").unlink()
        stage.restart()
        assert item.publish is not None
        doubtful = item.publish.model_copy(update={"doubt": Baseline()})
        again = item.model_copy(update={"publish": doubtful, "attempt": 2})
        with stage.agent:
            async with DesktopLink.open(stage.paired) as desktop:
                await desktop.accept(again)
                await until_done(desktop, again)
        states = [str(step.state) for step in desktop.of("action_changed")]
        assert states == ["in_doubt", "reconciling", "confirmed"]
        assert stage.posts() == [desktop.of("action_changed")[-1].remote_id]


async def test_an_agent_whose_disk_was_taken_back_finds_what_it_has_forgotten(
    tmp_path: Path,
) -> None:
    """The journal says that the item waits; in truth its post is out. No desktop says so."""
    with (
        PracticeProcess.start(tmp_path / "practice") as practice,
        AgentProcess.start(tmp_path / "agent") as agent,
    ):
        stage = await set_stage(practice, agent, tmp_path)
        item = stage.item("Harbour at dusk")
        async with DesktopLink.open(stage.paired) as desktop:
            await desktop.accept(item.model_copy(update={"not_before": 4e9}))
        agent.stop()
        journal = agent.data / "journal.sqlite"
        earlier = journal.read_bytes()
        await wait_until_async(lambda: not agent.data.joinpath("running.json").exists(), "its end")
        stage.restart()
        with stage.agent:
            async with DesktopLink.open(stage.paired, desktop.cursor) as desktop:
                await desktop.control("cancel", item.item_id)
                await desktop.accept(item.model_copy(update={"attempt": 2}))
                await until_done(desktop, item)
        assert len(stage.posts()) == 1
        journal.write_bytes(earlier)
        _make_due(journal, item.item_id)
        stage.restart()
        with stage.agent:
            async with DesktopLink.open(stage.paired) as desktop:
                await until_done(desktop, item)
        assert len(stage.posts()) == 1


def _make_due(journal: Path, item_id: str) -> None:
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        (spec,) = connection.execute(
            "SELECT spec FROM item_spec WHERE item_id = ?", (item_id,)
        ).fetchone()
        due = json.dumps({**json.loads(spec), "not_before": None})
        connection.execute("UPDATE item_spec SET spec = ? WHERE item_id = ?", (due, item_id))
        connection.execute("UPDATE item SET not_before = NULL WHERE item_id = ?", (item_id,))
        connection.commit()
