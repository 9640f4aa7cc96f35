"""The right side of the composer: every problem of the batch, who gets what, and the start."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.contract.runs import Preflight, PreflightItem, PreflightProblem
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.models.problems import plan_table, problem_place
from desktop_app.ui.presenters.compose import ComposePresenter
from desktop_app.ui.presenters.notices import notice_of
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.widgets.controls import (
    ICON_GAP,
    button,
    clear_layout,
    column,
    label,
    row,
    separator,
)
from desktop_app.ui.views.widgets.data_table import DataTable
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState

_MOST_PROBLEMS = 200
_PROBLEMS_HEIGHT = 190
_SCROLL_BAR = 12
_ICONS = {"error": ("circle-alert", "danger"), "warning": ("triangle-alert", "warning")}


class PreflightPanel(QFrame):
    """The judgement of the draft."""

    def __init__(self, context: ViewContext, presenter: ComposePresenter) -> None:
        super().__init__()
        self._theme = context.theme
        self._presenter = presenter
        self.setObjectName("inspector")
        self.setMinimumWidth(360)
        self.plan = plan_table()
        self._shown: Preflight | None = None
        self._lines: list[QWidget] = []
        self._build()
        presenter.judging.connect(self._judging)
        presenter.judged.connect(self._refresh)
        self._theme.changed.connect(self._redraw)
        self._refresh()

    def may_start(self) -> bool:
        """Say whether the start button can be pressed."""
        return self.start.isEnabled()

    def _build(self) -> None:
        self.icon = QLabel()
        self.icon.setFixedSize(QSize(20, 20))
        self.verdict = label("", "section")
        self.detail = label("", "muted", wrap=True)
        head = QVBoxLayout()
        head.setContentsMargins(16, 16, 16, 12)
        head.setSpacing(4)
        line = row(self.icon, self.verdict, spacing=8)
        line.setStretch(1, 1)
        head.addLayout(line)
        head.addWidget(self.detail)
        inner = QWidget()
        self._problems = QVBoxLayout(inner)
        self._problems.setContentsMargins(16, 12, 16, 12)
        self._problems.setSpacing(10)
        self.problems = QScrollArea()
        self.problems.setWidget(inner)
        self.problems.setWidgetResizable(True)
        self.problems.setAccessibleName("Problems of the batch")
        self.table = DataTable(self._theme, self.plan, "Who gets what")
        self.table.chosen.connect(self._show_item)
        self.empty = EmptyState(self._theme)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.empty)
        self._build_preview()
        self.start = button(
            self._theme, "Start", "primary", icon="play", on_click=self._presenter.start
        )
        self.start.setMinimumHeight(36)
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 12, 16, 16)
        foot.addWidget(self.start)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(separator())
        layout.addWidget(self.problems)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.preview)
        layout.addWidget(separator())
        layout.addLayout(foot)

    def _build_preview(self) -> None:
        self.preview = QFrame()
        self.preview_title = label("", "muted")
        self.preview_text = QPlainTextEdit()
        self.preview_text.setReadOnly(True)
        self.preview_text.setAccessibleName("Caption as this account posts it")
        self.preview_text.setFixedHeight(110)
        self.preview_reason = label("", "faint", wrap=True)
        box = column(self.preview_title, self.preview_text, self.preview_reason, spacing=6)
        box.setContentsMargins(16, 12, 16, 12)
        self.preview.setLayout(box)
        self.preview.hide()

    def _judging(self) -> None:
        self.start.setEnabled(False)
        self.detail.setText("Starting…" if self._presenter.is_starting else "Checking…")

    def _redraw(self) -> None:
        self._shown = None
        self._refresh()

    def _refresh(self) -> None:
        judgement = self._presenter.judgement
        if judgement.problem is not None:
            notice = notice_of(judgement.problem)
            self._say("circle-alert", "danger", notice.text, notice.advice)
            self._show(None)
        elif judgement.preflight is None:
            self._say("circle-dashed", "text_faint", "Not ready yet", judgement.missing)
            self._show(None)
        else:
            self._judge(judgement.preflight)
            self._show(judgement.preflight)
        preflight = judgement.preflight
        ready = preflight is not None and preflight.may_start
        self.start.setEnabled(ready and not self._presenter.is_starting)
        items = count_of(len(preflight.items), "item") if preflight and ready else ""
        self.start.setText(f"{ICON_GAP}Start {items}" if items else f"{ICON_GAP}Start")

    def _judge(self, preflight: Preflight) -> None:
        errors = sum(problem.severity == "error" for problem in preflight.problems)
        warnings = len(preflight.problems) - errors
        accounts = len({item.account_id for item in preflight.items})
        what = f"{count_of(len(preflight.items), 'item')} on {count_of(accounts, 'account')}"
        also = f"{count_of(warnings, 'warning')}." if warnings else ""
        if errors:
            self._say("circle-alert", "danger", count_of(errors, "problem"),
                      f"Nothing starts before they are solved. {also}")  # fmt: skip
        elif preflight.may_start:
            self._say("circle-check", "success", "Ready", f"{what}. {also}".strip())
        else:
            self._say("circle-dashed", "text_faint", "Nothing to do", "No item came of this draft.")

    def _say(self, icon: str, colour: str, verdict: str, detail: str) -> None:
        self.icon.setPixmap(self._theme.pixmap(icon, colour, 20, self.devicePixelRatioF()))
        self.verdict.setText(verdict)
        self.detail.setText(detail)

    def _show(self, preflight: Preflight | None) -> None:
        if preflight is not None and preflight == self._shown:
            return
        self._shown = preflight
        self._show_problems(preflight.problems if preflight else [])
        items = preflight.items if preflight else []
        self.plan.set_rows(enumerate(items))
        self.stack.setCurrentIndex(0 if items else 1)
        self.empty.show_empty(
            Empty(
                "list-checks",
                "Who gets what",
                "Each item, its driver and its agent are listed here before anything starts.",
            )
        )
        self._show_item(self.table.selected_ids() or (["0"] if items else []))

    def _show_problems(self, problems: list[PreflightProblem]) -> None:
        clear_layout(self._problems)
        self._lines = []
        self.problems.setVisible(bool(problems))
        ordered = sorted(problems, key=lambda problem: problem.severity != "error")
        for problem in ordered[:_MOST_PROBLEMS]:
            line = self._problem_line(problem)
            self._lines.append(line)
            self._problems.addWidget(line)
        if len(ordered) > _MOST_PROBLEMS:
            rest = len(ordered) - _MOST_PROBLEMS
            self._problems.addWidget(label(f"And {rest:,} more.", "muted"))
        self._problems.addStretch(1)
        self._fit_problems()

    def _fit_problems(self) -> None:
        """Take as much height as the problems need at this width, up to a limit."""
        margins = self._problems.contentsMargins()
        width = self.width() - margins.left() - margins.right() - _SCROLL_BAR
        heights = [line.heightForWidth(width) for line in self._lines]
        gaps = self._problems.spacing() * max(len(heights) - 1, 0)
        height = sum(heights) + gaps + margins.top() + margins.bottom()
        self.problems.setFixedHeight(min(height, _PROBLEMS_HEIGHT))
        policy = Qt.ScrollBarPolicy
        scrolls = height > _PROBLEMS_HEIGHT
        self.problems.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if scrolls else policy.ScrollBarAlwaysOff
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the problems to the new width."""
        super().resizeEvent(event)
        self._fit_problems()

    def _problem_line(self, problem: PreflightProblem) -> QWidget:
        name, colour = _ICONS[problem.severity]
        icon = QLabel()
        icon.setPixmap(self._theme.pixmap(name, colour, 14, self.devicePixelRatioF()))
        icon.setAccessibleName(problem.severity)
        line = QWidget()
        grid = QGridLayout(line)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        grid.addWidget(icon, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label(problem.message, wrap=True, select=True), 0, 1)
        place = problem_place(problem)
        if place:
            grid.addWidget(label(place, "faint", wrap=True), 1, 1)
        return line

    def _show_item(self, ids: list[str]) -> None:
        chosen = self.plan.row(ids[0]) if len(ids) == 1 else None
        item: PreflightItem | None = chosen[1] if chosen else None
        self.preview.setVisible(item is not None and bool(item.media))
        if item is not None:
            self.preview_title.setText(f"Caption on {item.username}")
            self.preview_text.setPlainText(item.caption or "No caption")
            self.preview_reason.setText(item.driver_reason)
