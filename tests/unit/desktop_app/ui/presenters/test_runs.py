"""The runs page: items follow the selected run, logs are read on, ledgers are fetched."""

from __future__ import annotations

from common.domain.states import ItemState
from desktop_app.contract.changes import Delta
from desktop_app.contract.runs import LogLine, LogPage
from desktop_app.ui.app import WindowHandle
from desktop_app.ui.views.pages.runs import RunsPage
from tests.support.window import ScriptedCore, until, with_window


class LoggingCore(ScriptedCore):
    """A core whose log grows."""

    lines: tuple[str, ...] = ("one", "two")

    async def run_log(self, run_id: str, offset: int = 0, limit: int = 262_144) -> LogPage:
        fresh = self.lines[offset : offset + 2]
        return LogPage(
            offset=offset,
            end=offset + len(fresh),
            size=len(self.lines),
            lines=[LogLine(at=1.0, level="info", text=text) for text in fresh],
        )


def page_of(handle: WindowHandle) -> RunsPage:
    handle.show_page("runs")
    page = handle.window.view.page("runs")
    assert isinstance(page, RunsPage)
    return page


def test_items_follow_the_run_that_is_watched(qapp: object) -> None:
    core = ScriptedCore(12)

    async def story(handle: WindowHandle) -> None:
        presenter = page_of(handle).presenter
        await until(lambda: presenter.items.is_loaded, "the items")
        run_id = core.fleet.runs[0].id
        assert core.feed.wishes[-1].runs == [run_id]
        item = next(i for i in core.fleet.items if i.state is ItemState.RUNNING)
        other = item.model_copy(update={"id": "0" * 26, "run_id": "1" * 26})
        done = item.model_copy(update={"state": ItemState.DONE, "link": "http://127.0.0.1/p/1/"})
        core.feed.queue.put_nowait(Delta(revision=5, items=[done, other]))
        await until(lambda: presenter.items.revision == 5, "the change")
        seen = presenter.items.table.row(item.id)
        assert seen is not None
        assert seen.state is ItemState.DONE
        assert presenter.items.table.row(other.id) is None

    assert with_window(core, story) == 0


def test_the_log_is_read_to_its_end_and_on_when_it_grows(qapp: object) -> None:
    core = LoggingCore(12)

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        log = page.detail.log
        await until(lambda: "two" in log.text.toPlainText(), "the first lines")
        core.lines += ("three", "four", "five")
        core.feed.queue.put_nowait(Delta(revision=5, log_sizes={core.fleet.runs[0].id: 5}))
        await until(lambda: "five" in log.text.toPlainText(), "the further lines")
        shown = [line.split()[-1] for line in log.text.toPlainText().splitlines()]
        assert shown == ["one", "two", "three", "four", "five"]

    assert with_window(core, story) == 0


def test_the_ledger_of_the_selected_item_is_shown(qapp: object) -> None:
    core = ScriptedCore(12)

    async def story(handle: WindowHandle) -> None:
        page = page_of(handle)
        await until(lambda: page.presenter.items.table.rowCount(), "the items")
        item = next(i for i in core.fleet.items if i.link and i.position % 4 != 1)
        page.detail.table.select_ids([item.id])
        await until(lambda: len(page.detail.ledger.timeline.steps) == 4, "the ledger")
        assert page.detail.tabs.tabText(1).startswith("Ledger")

    assert with_window(core, story) == 0


def test_only_what_would_do_something_is_offered(qapp: object) -> None:
    core = ScriptedCore(12)

    async def story(handle: WindowHandle) -> None:
        presenter = page_of(handle).presenter
        await until(lambda: presenter.run, "the run")
        assert presenter.may("pause")
        assert presenter.may("retry")
        assert not presenter.may("resume")
        presenter.select(core.fleet.runs[2].id)
        assert not presenter.may("pause")
        assert not presenter.may("cancel")

    assert with_window(core, story) == 0
