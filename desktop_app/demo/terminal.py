"""What the spectator sees of the voyage in a terminal: steps, and a live table of the items."""

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from common.domain.states import ItemState, look_of
from desktop_app.contract.runs import ItemRow

_STYLES = {
    "neutral": "dim",
    "info": "cyan",
    "running": "blue",
    "success": "green",
    "warning": "yellow",
    "danger": "bold red",
    "attention": "bold magenta",
}


class TerminalNarrator:
    """Tells the voyage as a live table; as plain lines where the output is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._step = ""
        self._began = time.monotonic()
        self._told = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    @property
    def current(self) -> str:
        """The step that has begun and is not done; empty between steps."""
        return self._step

    def done(self) -> None:
        """The last step is done, and what is printed from now on stays on the screen."""
        self._end_step()
        self._live.update(Text(), refresh=self._console.is_terminal)

    def step(self, text: str) -> None:
        """A step begins; the one before it is done."""
        self._end_step()
        self._step, self._began, self._told = text, time.monotonic(), ""
        if self._console.is_terminal:
            self._live.update(Text(f"{text} …", style="dim"), refresh=True)

    async def run_began(self, task: str, run_id: str) -> None:
        """A run was started; its items say the rest."""

    async def items(self, title: str, rows: Sequence[ItemRow]) -> None:
        """The items of the current run as they stand."""
        counts = Counter(row.state for row in rows)
        summary = " · ".join(f"{n} {look_of(s).label.lower()}" for s, n in sorted(counts.items()))
        if self._console.is_terminal:
            self._live.update(_picture(title, summary, rows), refresh=True)
        elif summary != self._told:
            self._console.print(f"  {title}: {summary}", highlight=False)
        self._told = summary

    def _end_step(self) -> None:
        if self._step:
            seconds = time.monotonic() - self._began
            detail = f" – {self._told}" if self._told else ""
            self._console.print(f"✓ {self._step}{detail} ({seconds:.1f} s)", highlight=False)
        self._step = ""


def _picture(title: str, summary: str, rows: Sequence[ItemRow]) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("Account", "Item", "Driver", "State", "Step"):
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    for row in sorted(rows, key=lambda row: row.position):
        table.add_row(row.username, row.title, row.driver, _state(row.state), row.step)
    return Group(Text(f"{title}: {summary}"), table)


def _state(state: ItemState) -> Text:
    look = look_of(state)
    return Text(look.label, style=_STYLES[look.colour])
