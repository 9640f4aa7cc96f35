"""`flotilla demo`: sets the stage, opens the window, makes the voyage, and says how it went."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from common.errors import FlotillaError
from desktop_app.client.core_client import CoreClient
from desktop_app.client.launcher import connect
from desktop_app.contract.runs import ItemRow
from desktop_app.demo.cast import new_cast
from desktop_app.demo.interrupts import STATUS_INTERRUPTED, interruptible, undisturbed
from desktop_app.demo.platform import PracticeAdmin
from desktop_app.demo.stage import Stage
from desktop_app.demo.terminal import TerminalNarrator
from desktop_app.demo.voyage import Outcome, read_library, sail
from desktop_app.demo.window_guide import WindowGuide
from desktop_app.ui.app import WindowHandle, run_with
from resources import path

STATUS_CLEAN = 0
STATUS_NOT_CLEAN = 1
_KEPT = "Everything is still running. Close the window or press Ctrl+C to stop it."
_NOT_KEPT = "Start with --keep to look around afterwards."


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the operator asked for."""

    folder: Path
    keep: bool = False
    """Leave everything running at the end, until Ctrl+C or the window is closed."""


@dataclass(slots=True)
class Report:
    """What the voyage leaves behind for the end of the program."""

    outcome: Outcome | None = None
    problem: FlotillaError | None = None
    setup_seconds: float = 0.0

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
    stage = Stage(options.folder.absolute())
    report = Report()
    narrator = TerminalNarrator(console)
    with interruptible():
        try:
            with narrator:
                narrator.step("Starting the practice platform, an agent and the core")
                began = time.monotonic()
                asyncio.run(stage.start())
                report.setup_seconds = time.monotonic() - began
                run_with(
                    lambda: connect(stage.core_options),
                    beside=lambda window: _voyage(
                        window, stage, narrator, report, options, console, pictures=not has_display
                    ),
                )
        except KeyboardInterrupt:
            pass
        finally:
            with undisturbed(), contextlib.ExitStack() as stack:
                with contextlib.suppress(OSError):  # the terminal may be gone
                    stack.enter_context(console.status("Stopping every process …"))
                asyncio.run(stage.stop())
    if report.problem is None and report.outcome is None:
        console.print(f"Stopped at: {narrator.current or 'the start'}.", highlight=False)
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
    report: Report,
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
            narrator.done()
            await _summary(console, client, report, guide.pictures, keep=options.keep)
    except FlotillaError as problem:
        report.problem = problem
        console.print(f"{problem.message}\n{problem.advice}".strip(), style="red", highlight=False)
        if options.keep:
            console.print(_KEPT)
    if options.keep:
        await asyncio.get_running_loop().create_future()
    return report.status


async def _summary(
    console: Console,
    client: CoreClient,
    report: Report,
    pictures: Sequence[Path],
    *,
    keep: bool,
) -> None:
    """Say how it went; the last line is the verdict."""
    outcome = report.outcome
    if outcome is None:
        return
    for row in outcome.failures:
        console.print(_failure(row), style="red", highlight=False)
    times = f"Set-up took {report.setup_seconds:.1f} s, the main job {outcome.job_seconds:.1f} s."
    console.print(f"\n{times}", style="dim", highlight=False)
    links = [row.link for row in (await client.run_items(outcome.last_run)).rows if row.link]
    if links and keep:
        console.print(f"The first of the posts: {links[0]}", highlight=False, soft_wrap=True)
    if pictures:
        console.print(
            f"Pictures of the window: {pictures[0].parent}", highlight=False, soft_wrap=True
        )
    console.print(_KEPT if keep else _NOT_KEPT)
    style = "bold green" if outcome.verdict.is_clean else "bold red"
    console.print(str(outcome.verdict), style=style, highlight=False, soft_wrap=True)


def _failure(row: ItemRow) -> str:
    error = row.error
    why = f"{error.message} {error.advice}" if error else row.step
    return f"{row.username}, {row.title}: {row.state.value}. {why}"
