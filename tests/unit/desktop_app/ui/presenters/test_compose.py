"""The composer: what a draft becomes, and how it is judged."""

from __future__ import annotations

from common.tasks.bulk_upload import Distribution
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.presenters.compose import (
    ComposePresenter,
    hashtags_of,
    table_of,
    unreadable_lines,
)
from tests.support.window import ScriptedCore, until, with_window


def test_hashtags_are_read_however_they_are_typed() -> None:
    assert hashtags_of("#harbour, coast  #pine;") == ["harbour", "coast", "pine"]


def test_a_table_is_read_line_by_line() -> None:
    text = "harbour.shop, 1\npine.cafe\t2\nnonsense\n\nquay, 0"
    assert [(row.username, row.post) for row in table_of(text)] == [
        ("harbour.shop", 1),
        ("pine.cafe", 2),
    ]
    assert unreadable_lines(text) == [3, 5]


def test_a_draft_is_grouped_moved_and_judged(qapp: object) -> None:
    core = ScriptedCore(12)

    async def story(handle: WindowHandle) -> None:
        compose = ComposePresenter(handle.context.presenters)
        assert "accounts" in compose.judgement.missing
        files = [row.sha256 for row in core.fleet.media[:4]]
        compose.add_posts(files)
        compose.group([1, 2])
        assert compose.draft.posts == ((files[0],), (files[1], files[2]), (files[3],))
        assert compose.move_post(1, -1) == 0
        assert compose.draft.posts[0] == (files[1], files[2])
        compose.ungroup(0)
        compose.remove_posts([2])
        assert compose.draft.posts == ((files[1],), (files[2],), (files[3],))
        compose.change(tags=frozenset({"Coast"}), caption="{title}", hashtags="#sea")
        await until(lambda: compose.judgement.preflight, "the judgement")
        command = compose.command(dry_run=True)
        assert command.parameters["hashtags"] == ["sea"]
        assert command.targets.tags == ["Coast"]
        compose.change(distribution=Distribution.TABLE)
        assert "table" in compose.judgement.missing

    assert with_window(core, story) == 0
