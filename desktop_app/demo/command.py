"""`flotilla demo`: sets the stage, opens the window, makes the voyage, and says how it went."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from common.errors import FlotillaError
from desktop_app.client.core_client import CoreClient
from desktop_app.client.launcher import connect
from desktop_app.contract.runs import ItemRow
from desktop_app.demo.cast import new_cast
from desktop_app.demo.platform import PracticeAdmin
from desktop_app.demo.stage import Stage
from desktop_app.demo.terminal import TerminalNarrator
from desktop_app.demo.voyage import Outcome, read_library, sail
from desktop_app.demo.window_guide import WindowGuide
from desktop_app.ui.app import WindowHandle, run_with
from resources import path

STATUS_CLEAN = 0
STATUS_NOT_CLEAN = 1
STATUS_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the operator asked for."""

    folder: Path
    keep: bool = False
    """Leave everything running at the end, until Ctrl+C or the window is closed."""


@dataclass(slots=True)
class _Report:
    """What the voyage leaves behind for the end of the program."""

    outcome: Outcome | None = None
    problem: FlotillaError | None = None
    pictures: list[Path] = field(default_factory=list)

    @property
    def status(self) -> int:
        if self.problem is not None:
            return STATUS_NOT_CLEAN
        if self.outcome is None:
            return STATUS_INTERRUPTED
        return STATUS_CLEAN if self.outcome.verdict.is_clean else STATUS_NOT_CLEAN


def run_demo(options: DemoOptions) -> int:
    """Make the voyage; returns 0 only where the ledger's verdict is clean."""
    console = Console()
    has_display = choose_display(os.environ)
    began = time.monotonic()
    stage = Stage(options.folder.absolute())
    report = _Report()
    try:
        with TerminalNarrator(console) as narrator, _interruptible():
            narrator.step("Starting the practice platform, an agent and the core")
            asyncio.run(stage.start())
            setup = time.monotonic() - began
            run_with(
                lambda: connect(stage.core_options),
                beside=lambda window: _voyage(
                    window, stage, narrator, report, options, console, pictures=not has_display
                ),
            )
    except KeyboardInterrupt:
        return STATUS_INTERRUPTED
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(stage.stop())
    if report.problem is None and report.outcome is None:
        console.print("Stopped.")
    elif report.outcome is not None:
        console.print(f"Set-up took {setup:.1f} s.", style="dim", highlight=False)
    return report.status


def choose_display(environment: MutableMapping[str, str]) -> bool:
    """Say whether there is a display; where there is none, let Qt paint in memory."""
    chosen = environment.get("QT_QPA_PLATFORM", "")
    if sys.platform in ("win32", "darwin"):
        return chosen != "offscreen"
    if not chosen and not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        environment["QT_QPA_PLATFORM"] = chosen = "offscreen"
    return chosen != "offscreen"


async def _voyage(
    window: WindowHandle,
    stage: Stage,
    narrator: TerminalNarrator,
    report: _Report,
    options: DemoOptions,
    console: Console,
    *,
    pictures: bool,
) -> int:
    guide = WindowGuide(window, narrator, stage.folder / "pictures" if pictures else None)
    cast = new_cast()
    try:
        narrator.step("Seeding the practice platform")
        async with await connect(stage.core_options) as client:
            async with PracticeAdmin(stage.platform_ready) as admin:
                await admin.seed(cast)
                line = await stage.pairing_line()
                library = read_library(path("media"))
                report.outcome = await sail(client, admin, cast, line, library, guide)
            await guide.finish(report.outcome.last_run)
            await _summary(console, client, report.outcome, guide.pictures)
    except FlotillaError as problem:
        report.problem = problem
        console.print(f"{problem.message}\n{problem.advice}", style="red", highlight=False)
    if options.keep:
        console.print("Everything is still running. Close the window or press Ctrl+C to stop it.")
        await asyncio.get_running_loop().create_future()
    return report.status


async def _summary(
    console: Console, client: CoreClient, outcome: Outcome, pictures: Sequence[Path]
) -> None:
    for row in outcome.failures:
        console.print(_failure(row), style="red", highlight=False)
    links = [row.link for row in (await client.run_items(outcome.last_run)).rows if row.link]
    if links:
        console.print(f"The first of the posts: {links[0]}", highlight=False)
    if pictures:
        console.print(f"Pictures of the window: {pictures[0].parent}", highlight=False)
    console.print(f"The main job took {outcome.job_seconds:.1f} s.", style="dim", highlight=False)
    style = "bold green" if outcome.verdict.is_clean else "bold red"
    console.print(str(outcome.verdict), style=style, highlight=False)


def _failure(row: ItemRow) -> str:
    error = row.error
    why = f"{error.message} {error.advice}" if error else row.step
    return f"{row.username}, {row.title}: {row.state.value}. {why}"


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM interrupt the program as Ctrl+C does, so that every process is ended."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
