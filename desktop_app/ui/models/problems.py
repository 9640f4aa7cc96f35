"""Problems as tables: of an import, of a batch, and the plan of who gets what."""

from __future__ import annotations

from desktop_app.contract.accounts import ImportProblem
from desktop_app.contract.runs import PreflightItem, PreflightProblem
from desktop_app.ui.models.accounts import driver_label
from desktop_app.ui.models.cells import NOTHING, Text
from desktop_app.ui.models.table import Column, RowTable


def import_problem_table() -> RowTable[ImportProblem]:
    """Return an empty list of an import's problems."""
    columns: tuple[Column[ImportProblem], ...] = (
        Column(
            "line", "Line", lambda p: Text(str(p.line), right=True), lambda p: p.line, 56,
            right=True,
        ),
        Column("field", "Field", lambda p: Text(p.field, muted=True), lambda p: p.field, 90),
        Column(
            "message", "Problem", lambda p: Text(p.message, colour="danger", after=p.advice),
            lambda p: p.message, 200, stretch=True,
        ),
    )  # fmt: skip
    return RowTable(columns, lambda p: f"{p.line}:{p.field}:{p.message}")


def plan_table() -> RowTable[tuple[int, PreflightItem]]:
    """Return an empty plan: who gets what."""
    columns: tuple[Column[tuple[int, PreflightItem]], ...] = (
        Column(
            "username", "Account", lambda r: Text(r[1].username, strong=True),
            lambda r: r[1].username, 132,
        ),
        Column(
            "title", "Item", lambda r: Text(r[1].title), lambda r: r[1].title, 150, stretch=True,
        ),
        Column(
            "driver", "Driver", lambda r: Text(driver_label(r[1].driver), muted=True),
            lambda r: r[1].driver, 100,
        ),
        Column(
            "agent", "Agent",
            lambda r: Text(r[1].agent, muted=True) if r[1].agent else NOTHING,
            lambda r: r[1].agent, 76, spare=1,
        ),
    )  # fmt: skip
    return RowTable(
        columns, lambda row: str(row[0]), search=lambda row: f"{row[1].username} {row[1].title}"
    )


def problem_place(problem: PreflightProblem) -> str:
    """Say what a problem of a batch is about, in a few words."""
    parts = [problem.username, f"post {problem.post}" if problem.post else "", problem.subject]
    return " · ".join(part for part in parts if part)
