"""The demo's processes: ended however early that is wished, and cleared after a demo that died."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import psutil
import pytest

from common.errors import ConflictError
from desktop_app.demo.stage import Stage
from tests.support.child_process import has_ended

pytestmark = pytest.mark.timeout(120)


def marked(folder: Path) -> list[psutil.Process]:
    """Return the processes that the mark names as started."""
    said = json.loads((folder / "voyage.json").read_text("utf-8"))
    return [psutil.Process(process["pid"]) for process in said["started"]]


async def test_an_early_end_leaves_no_process(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "demo")
    starting = asyncio.create_task(stage.start())
    await asyncio.sleep(0)  # every process is there, and none of them listens yet
    started = marked(stage.folder)
    assert len(started) == 3
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await stage.stop()
    assert not [process for process in started if not has_ended(process)]


async def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    Stage(tmp_path / "demo")
    with pytest.raises(ConflictError, match="still running"):
        Stage(tmp_path / "demo")


async def test_what_a_killed_demo_left_is_ended_by_the_next(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "demo")
    await stage.start()
    left = marked(stage.folder)
    mark = stage.folder / "voyage.json"
    said = json.loads(mark.read_text("utf-8"))
    mark.write_text(json.dumps(said | {"demo": {"pid": said["demo"]["pid"], "since": 1.0}}))
    following = Stage(tmp_path / "demo")
    assert not [process for process in left if not has_ended(process)]
    assert not (following.folder / "agent").exists()
    await stage.stop()
    await following.stop()
