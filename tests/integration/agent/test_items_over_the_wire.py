"""Items handed over on the control link: what the desktop sees of them, in order, exactly once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection

from common.domain.accounts import DriverName
from common.domain.ids import new_id
from common.domain.states import ItemState
from common.errors import (
    DuplicateIntentError,
    FlotillaError,
    OperationUnsupportedError,
    StaleFenceError,
)
from common.protocol.bulk import OfferBlob
from common.protocol.messages import (
    Acknowledge,
    AskBlobs,
    AskInventory,
    Inventory,
    LogChunk,
    MissingBlobs,
    ReadLog,
    ScreenSeen,
    WatchScreen,
)
from desktop_app.core.links.bulk import BlobToSend, send_blobs
from desktop_app.core.links.dial import AgentAddress
from tests.integration.agent.conftest import AgentStarter, RunningAgent
from tests.support.agent_items import CANARIES, a_login, a_photo, a_publish, an_account
from tests.support.agent_link import DesktopLink, Paired, blob_frames, open_bulk
from tests.support.waiting import wait_until_async

_NO_SPACE = (
    "CREATE TEMP TRIGGER no_space BEFORE UPDATE ON item "
    "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
)
PUBLISHED = ["assigned", "running", "done"]
_LOGS_ASKED_FOR = 40


async def test_publish_is_reported_step_by_step(paired: Paired) -> None:
    item = a_publish(an_account())
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id) == PUBLISHED, "done")
    steps = [str(event.state) for event in desktop.of("action_changed")]
    assert steps == ["prepared", "sending", "confirmed"]
    assert desktop.of("action_changed")[-1].remote_id == f"remote-{item.item_id}"
    assert desktop.seqs == list(range(1, len(desktop.seqs) + 1))


async def test_repeated_handover_is_accepted_again_and_runs_once(paired: Paired) -> None:
    item = a_publish(an_account())
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")
        runs = [step for step in desktop.of("action_changed") if step.state == "sending"]
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-2:] == ["done"] * 2, "told")
        sent = [step for step in desktop.of("action_changed") if step.state == "sending"]
        assert len(runs) == len(sent) == 1


async def test_item_runs_though_its_link_breaks_while_it_is_taken_over(
    running: RunningAgent, paired: Paired
) -> None:
    item = a_publish(an_account())
    supervisor = running.agent.context.supervisor
    handover = asyncio.create_task(supervisor.orders.accept(item))
    await asyncio.sleep(0)  # the journal has it; nobody waits for its answer any more
    handover.cancel()
    await asyncio.wait({handover})
    assert handover.cancelled()
    async with DesktopLink.open(paired) as desktop:
        await desktop.until(lambda: desktop.states(item.item_id) == PUBLISHED, "done")


async def test_an_end_that_could_not_be_written_is_written_later(
    running: RunningAgent, paired: Paired, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = tmp_path / "gate"
    item = a_login(an_account(), [f"wait {gate}", "done"])
    journal = running.agent.context.journal
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["running"], "running")
        await journal.write(lambda transaction: transaction.execute(_NO_SPACE))
        gate.touch()
        await wait_until_async(
            lambda: f"journal the end of item {item.item_id}" in caplog.text, "a refused write"
        )
        await journal.write(lambda transaction: transaction.execute("DROP TRIGGER no_space"))
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")


async def test_second_intent_for_the_same_post_is_refused(paired: Paired) -> None:
    account = an_account()
    first = a_publish(account)
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(first)
        await desktop.until(lambda: desktop.states(first.item_id) == PUBLISHED, "done")
        with pytest.raises(DuplicateIntentError, match="already published"):
            await desktop.accept(a_publish(account))


async def test_lower_fence_and_unknown_work_are_refused(paired: Paired) -> None:
    account = an_account()
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(a_login(account, fence=5))
        with pytest.raises(StaleFenceError):
            await desktop.accept(a_login(account, fence=4))
        unknown = a_login(account, fence=5).model_copy(update={"task": "tiktok"})
        with pytest.raises(OperationUnsupportedError):
            await desktop.accept(unknown)
        official = an_account("bob", driver=DriverName.OFFICIAL)
        with pytest.raises(OperationUnsupportedError, match="official"):
            await desktop.accept(a_login(official))


async def test_events_of_a_closed_desktop_arrive_in_order_and_once(
    paired: Paired, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    items = [a_publish(an_account(f"user{n}"), [f"wait {gate}", "prepared", "sending",
                                               "confirmed", "done"]) for n in range(5)]  # fmt: skip
    async with DesktopLink.open(paired) as desktop:
        for item in items:
            await desktop.accept(item)
        await desktop.until(lambda: len(desktop.events) >= 10, "assigned and running")
    first, cursor = list(desktop.seqs), desktop.cursor
    gate.touch()
    async with DesktopLink.open(paired, cursor) as again:
        for item in items:
            await again.until(
                lambda item=item: again.states(item.item_id)[-1:] == ["done"], "all done"
            )
    assert first + again.seqs == list(range(1, len(first + again.seqs) + 1))


async def test_unacknowledged_events_come_again_and_are_applied_once(paired: Paired) -> None:
    item = a_publish(an_account())
    async with DesktopLink.open(paired, acknowledges=False) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id) == PUBLISHED, "done")
    async with DesktopLink.open(paired, None) as replay:
        await replay.until(lambda: replay.states(item.item_id) == PUBLISHED, "replayed")
        assert replay.seqs == desktop.seqs
    async with DesktopLink.open(paired, desktop.cursor) as third:
        await third.ask(AskInventory(id=new_id()))
        assert third.seqs == []


async def test_acknowledging_what_was_never_sent_ends_the_session(paired: Paired) -> None:
    async with DesktopLink.open(paired) as desktop:
        assert desktop.cursor is not None
        await desktop.send(Acknowledge(epoch=desktop.cursor.epoch, seq=10_000))
        await desktop.until(lambda: desktop.ended, "the end")
    assert "never sent" in str(desktop.ended)


async def test_item_waits_for_its_media(paired: Paired, running: RunningAgent) -> None:
    data = bytes(range(256)) * 4096
    sha256 = hashlib.sha256(data).hexdigest()
    item = a_publish(an_account(), sha256=sha256, media=[a_photo(sha256, len(data))])
    async with DesktopLink.open(paired) as desktop, open_bulk(paired) as bulk:
        answer = await desktop.ask(AskBlobs(id=new_id(), sha256s=[sha256]))
        assert isinstance(answer, MissingBlobs)
        assert answer.sha256s == [sha256]
        await desktop.accept(item)
        assert running.agent.context.supervisor.running_count == 0
        await bulk.send(OfferBlob(channel=1, sha256=sha256, size=len(data)).model_dump_json())
        assert json.loads(await bulk.recv()) == {"t": "blob_offset", "channel": 1, "offset": 0}
        for frame in blob_frames(1, data):
            await bulk.send(frame)
        await desktop.until(lambda: desktop.states(item.item_id) == PUBLISHED, "done")


async def test_transfer_goes_on_where_it_broke(paired: Paired, running: RunningAgent) -> None:
    data = b"harbour" * 200_000
    sha256 = hashlib.sha256(data).hexdigest()
    offer = OfferBlob(channel=3, sha256=sha256, size=len(data)).model_dump_json()
    frames = blob_frames(3, data)
    async with open_bulk(paired) as bulk:
        await bulk.send(offer)
        await bulk.recv()
        await bulk.send(frames[0])
        reached = json.loads(await bulk.recv())["offset"]
    async with open_bulk(paired) as bulk:
        await bulk.send(offer)
        assert json.loads(await bulk.recv())["offset"] == reached
        for frame in blob_frames(3, data, reached):
            await bulk.send(frame)
        offsets = await _offsets_until_stored(bulk)
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(data)
    assert running.agent.context.blobs.path(sha256).read_bytes() == data


async def _offsets_until_stored(bulk: ClientConnection) -> list[int]:
    """What the agent says that it has written; it may answer several frames at once."""
    offsets = []
    while (answer := json.loads(await bulk.recv()))["t"] == "blob_received":
        offsets.append(answer["offset"])
    assert answer == {"t": "blob_stored", "channel": 3}
    return offsets


async def test_a_file_that_came_whole_before_the_link_broke_is_checked_and_stored(
    paired: Paired, running: RunningAgent, tmp_path: Path
) -> None:
    data = b"harbour" * 1_000
    sha256 = hashlib.sha256(data).hexdigest()
    (running.data / "blobs" / "parts" / f"{sha256}.part").write_bytes(data)
    (tmp_path / "file").write_bytes(data)
    desktop = AgentAddress(
        agent_id="",
        host=paired.host,
        port=paired.port,
        context=paired.context(),
        token=SecretStr(paired.token),
    )
    stored: list[tuple[str, FlotillaError | None]] = []
    await send_blobs(
        desktop,
        [BlobToSend(sha256, len(data), tmp_path / "file")],
        lambda sha256, error: stored.append((sha256, error)),
    )
    assert stored == [(sha256, None)]
    assert running.agent.context.blobs.has(sha256)


async def test_blob_with_the_wrong_hash_is_refused_and_deleted(
    paired: Paired, running: RunningAgent
) -> None:
    sha256 = hashlib.sha256(b"right").hexdigest()
    async with open_bulk(paired) as bulk:
        await bulk.send(OfferBlob(channel=1, sha256=sha256, size=5).model_dump_json())
        await bulk.recv()
        await bulk.send(blob_frames(1, b"wrong")[0])
        answers = [json.loads(await bulk.recv()) for _ in range(2)]
    assert answers[-1]["t"] == "blob_refused"
    assert answers[-1]["error"]["code"] == "bad_media"
    assert not list((running.data / "blobs" / "parts").iterdir())


async def test_log_is_read_by_offset(paired: Paired) -> None:
    item = a_login(an_account(), ["log first line", 'log with "quotes" and é', "done"])
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")
        text, offset = "", 0
        while True:
            chunk = await desktop.ask(
                ReadLog(id=new_id(), item_id=item.item_id, attempt=1, offset=offset, limit=60)
            )
            assert isinstance(chunk, LogChunk)
            text += chunk.text
            offset = chunk.offset + len(chunk.text.encode())
            if offset == chunk.end:
                break
        assert desktop.of("item_changed")[-1].log_end == offset
    assert [json.loads(line)["text"] for line in text.splitlines()] == [
        "first line",
        'with "quotes" and é',
    ]


async def test_a_question_does_not_wait_for_the_logs_asked_for_before_it(paired: Paired) -> None:
    item = a_login(an_account(), ["log first line", "done"])
    answered: list[str] = []
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")

        async def read_log() -> None:
            await desktop.ask(ReadLog(id=new_id(), item_id=item.item_id, attempt=1, offset=0))
            answered.append("log")

        async def ask() -> None:
            await desktop.ask(AskBlobs(id=new_id(), sha256s=[]))
            answered.append("question")

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_LOGS_ASKED_FOR):
                tasks.create_task(read_log())
            tasks.create_task(ask())
    assert answered.index("question") < _LOGS_ASKED_FOR / 2


async def test_saved_session_reaches_desktop_and_the_next_item(paired: Paired) -> None:
    account = an_account(is_known=False)
    first = a_login(account, ["session new-session-state", "done"])
    second = a_login(account, ["done show_session"])
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(first)
        await desktop.accept(second)
        await desktop.until(lambda: desktop.states(second.item_id)[-1:] == ["done"], "done")
    (saved,) = desktop.of("session_saved")
    assert saved.session.get_secret_value() == "new-session-state"
    assert saved.version == 2
    assert desktop.of("account_observed")[0].sign_in == "signed_in"
    assert desktop.of("item_changed")[-1].result == {"session": "new-session-state"}


async def test_paused_item_waits_and_a_cancelled_one_never_runs(
    paired: Paired, tmp_path: Path
) -> None:
    account, gate = an_account(), tmp_path / "gate"
    running, paused, cancelled = (
        a_login(account, [f"wait {gate}", "done"]),
        a_login(account),
        a_login(account),
    )
    async with DesktopLink.open(paired) as desktop:
        for item in (running, paused, cancelled):
            await desktop.accept(item)
        await desktop.until(lambda: desktop.states(running.item_id)[-1:] == ["running"], "running")
        assert (await desktop.control("pause", paused.item_id)).done == [paused.item_id]
        assert (await desktop.control("cancel", cancelled.item_id)).done == [cancelled.item_id]
        gate.touch()
        await desktop.until(lambda: desktop.states(running.item_id)[-1:] == ["done"], "done")
        assert desktop.states(paused.item_id) == ["assigned", "paused"]
        await desktop.control("resume", paused.item_id)
        await desktop.until(lambda: desktop.states(paused.item_id)[-1:] == ["done"], "resumed")
        assert desktop.states(cancelled.item_id) == ["assigned", "cancelled"]
        refused = (await desktop.control("cancel", running.item_id)).refused
    assert "already ended" in refused[running.item_id].message


async def test_cancel_before_sending_stops_and_while_sending_is_refused(
    paired: Paired, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    early = a_publish(an_account("early"), ["prepared", f"wait {gate}", "sending", "done"])
    late = a_publish(
        an_account("late"), ["prepared", "sending", f"wait {gate}", "confirmed", "done"]
    )
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(early)
        await desktop.accept(late)
        await desktop.until(lambda: len(desktop.of("action_changed")) == 3, "both at their gates")
        answer = await desktop.control("cancel", early.item_id, late.item_id)
        assert answer.done == [early.item_id]
        assert "verdict" in answer.refused[late.item_id].message
        gate.touch()
        await desktop.until(lambda: desktop.states(late.item_id)[-1:] == ["done"], "late done")
        await desktop.until(
            lambda: desktop.states(early.item_id)[-1:] == ["cancelled"], "early cancelled"
        )


async def test_lost_runner_leaves_what_was_sending_in_doubt_and_reruns_the_rest(
    paired: Paired, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    doubtful = a_publish(an_account("doubt"), ["prepared", "sending", f"wait {gate}", "die"])
    harmless = a_publish(
        an_account("calm"), ["prepared", f"wait {tmp_path / 'second'}", "sending", "confirmed",
                             "done"])  # fmt: skip
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(doubtful)
        await desktop.accept(harmless)
        await desktop.until(lambda: len(desktop.of("action_changed")) == 3, "at their gates")
        gate.touch()
        await desktop.until(lambda: desktop.states(doubtful.item_id)[-1:] == ["done"], "found")
        (tmp_path / "second").touch()
        await desktop.until(lambda: desktop.states(harmless.item_id)[-1:] == ["done"], "done")
    states = [
        str(event.state)
        for event in desktop.of("action_changed")
        if event.item_id == doubtful.item_id
    ]
    assert states == ["prepared", "sending", "in_doubt", "reconciling", "confirmed"]
    assert desktop.states(harmless.item_id) == [
        "assigned",
        "running",
        "interrupted",
        "assigned",
        "running",
        "done",
    ]


async def test_item_that_kills_its_runner_fails_in_the_end(paired: Paired) -> None:
    item = a_login(an_account(), ["die"])
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["failed"], "failed")
    assert desktop.states(item.item_id).count("interrupted") == 4
    assert desktop.of("item_changed")[-1].error.code == "runner_lost"


async def test_no_other_post_starts_while_one_waits_for_a_person(paired: Paired) -> None:
    account = an_account()
    asked = ["prepared", "sending", "in_doubt", "reconciling", "unresolved", "done needs_operator"]
    doubtful = a_publish(account, asked)
    waiting = a_publish(account, sha256="b" * 64)
    login = a_login(account)
    async with DesktopLink.open(paired) as desktop:
        for item in (doubtful, waiting, login):
            await desktop.accept(item)
        await desktop.until(
            lambda: desktop.states(doubtful.item_id)[-1:] == ["needs_operator"], "in doubt"
        )
        await desktop.until(lambda: len(desktop.states(waiting.item_id)) == 2, "told why it waits")
        assert desktop.states(waiting.item_id) == ["assigned", "assigned"]
        await desktop.until(lambda: desktop.states(login.item_id)[-1:] == ["done"], "signed in")
        refused = (await desktop.control("resume", doubtful.item_id)).refused
        assert "may already exist" in refused[doubtful.item_id].message
        await desktop.control("cancel", doubtful.item_id)
        await desktop.until(lambda: desktop.states(waiting.item_id)[-1:] == ["done"], "done")
        with pytest.raises(DuplicateIntentError):
            await desktop.accept(a_publish(account))


async def test_agent_stopped_in_the_middle_goes_on_after_its_start(
    start_agent: AgentStarter, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    item = a_publish(an_account(), ["prepared", f"wait {gate}", "sending", "confirmed", "done"])
    async with start_agent() as agent:
        paired = await agent.paired()
        async with DesktopLink.open(paired) as desktop:
            await desktop.accept(item)
            await desktop.until(lambda: len(desktop.of("action_changed")) == 1, "prepared")
    gate.touch()
    async with (
        start_agent() as agent,
        DesktopLink.open(paired.at(agent.agent.port), desktop.cursor) as again,
    ):
        await again.until(lambda: again.states(item.item_id)[-1:] == ["done"], "done")
    assert again.states(item.item_id) == ["interrupted", "assigned", "running", "done"]


async def test_agent_whose_disk_was_taken_back_looks_before_it_publishes(
    running: RunningAgent, paired: Paired, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    waiting = a_publish(an_account("ada"), media=[a_photo("e" * 64, 10)])
    paused = a_publish(an_account("cleo"), media=[a_photo("f" * 64, 10)])
    at_work = a_publish(an_account("ben"), ["prepared", f"wait {gate}", "sending", "confirmed"])
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(waiting)
        await desktop.accept(at_work)
        await desktop.accept(paused)
        await desktop.control("pause", paused.item_id)
        await desktop.until(lambda: desktop.of("action_changed"), "one is prepared")
    cursor = desktop.cursor
    assert cursor is not None
    # What a desktop has seen, and the journal has not: events behind its last one.
    ahead = cursor.model_copy(update={"seq": cursor.seq + 1000})
    async with DesktopLink.open(paired, ahead) as refused:
        await refused.until(lambda: refused.ended, "the refusal")
    outbox = running.agent.context.outbox
    await wait_until_async(lambda: outbox.epoch != cursor.epoch, "a new epoch")
    async with DesktopLink.open(paired, None) as again:
        await again.until(lambda: again.states(at_work.item_id)[-1:] == ["done"], "found")
        doubted = {step.item_id for step in again.of("action_changed") if step.state == "in_doubt"}
        assert {waiting.item_id, paused.item_id, at_work.item_id} == doubted
        inventory = await again.ask(AskInventory(id=new_id()))
        assert isinstance(inventory, Inventory)
        held = {row.item_id: (row.state, row.action) for row in inventory.rows}
        assert held == {
            waiting.item_id: ("assigned", "in_doubt"),
            paused.item_id: ("paused", "in_doubt"),
        }
        sent = [step for step in again.of("action_changed") if step.state == "sending"]
    assert sent == []


async def test_inventory_lists_what_has_not_ended(paired: Paired, tmp_path: Path) -> None:
    items = [a_login(an_account(f"u{n}"), [f"wait {tmp_path / 'never'}"]) for n in range(3)]
    async with DesktopLink.open(paired) as desktop:
        for item in items:
            await desktop.accept(item)
        answer = await desktop.ask(AskInventory(id=new_id()))
        assert isinstance(answer, Inventory)
        assert answer.complete
        assert {row.item_id for row in answer.rows} == {item.item_id for item in items}
        await desktop.control("cancel", *(item.item_id for item in items))


async def test_screens_come_one_at_a_time(paired: Paired, tmp_path: Path) -> None:
    account = an_account(driver=DriverName.BROWSER)
    gate = tmp_path / "gate"
    item = a_login(account, [f"wait {gate}", "done"])
    async with DesktopLink.open(paired) as desktop:
        await desktop.ask(WatchScreen(id=new_id(), account_id=account.account_id, channel=4))
        await desktop.accept(item)
        await desktop.until(lambda: [f for f in desktop.frames if f.close], "a whole picture")
        assert sum(len(frame.payload) for frame in desktop.frames) == 40_000
        assert {frame.channel for frame in desktop.frames} == {4}
        await desktop.send(ScreenSeen(channel=4))
        gate.touch()
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")


async def test_progress_is_seen_while_an_item_runs(paired: Paired, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    item = a_login(an_account(), ["log hello", "progress Signing in", f"wait {gate}", "done"])
    async with DesktopLink.open(paired) as desktop:
        await desktop.accept(item)
        progress = await desktop.until(lambda: desktop.progress, "progress")
        assert progress[-1].item_id == item.item_id
        await desktop.until(lambda: desktop.progress[-1].step == "Signing in", "its step")
        assert desktop.progress[-1].log_end > 0
        gate.touch()
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")


async def test_no_secret_lies_open_on_the_disk(paired: Paired, running: RunningAgent) -> None:
    item = a_login(an_account(), ["backward_session noisses-hserf-yranac", "leak", "done"])
    async with DesktopLink.open(paired, acknowledges=False) as desktop:
        await desktop.accept(item)
        await desktop.until(lambda: desktop.states(item.item_id)[-1:] == ["done"], "done")
    context = running.agent.context
    await wait_until_async(lambda: context.links.count == 0, "the link's end")
    assert context.supervisor.tally.ended == {ItemState.DONE: 1}
    for file in (path for path in running.data.rglob("*") if path.is_file()):
        content = file.read_bytes()
        for canary in (*CANARIES, "canary-fresh-session", paired.token):
            assert canary.encode() not in content, f"{canary} in {file}"
