"""The composer: what to do, with whom, with which posts; judged as a whole at the right."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFrame,
    QLineEdit,
    QScrollArea,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from common.domain.accounts import DriverName
from common.drivers import DRIVER_TITLES
from common.tasks.catalogue import TASK_TYPES
from desktop_app.ui.commands.registry import Command
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.presenters.compose import UPLOAD, ComposePresenter
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.pages.compose_caption import CaptionCard
from desktop_app.ui.views.pages.compose_posts import PostsCard
from desktop_app.ui.views.pages.compose_preflight import PreflightPanel
from desktop_app.ui.views.widgets.chips import Chip
from desktop_app.ui.views.widgets.controls import ICON_GAP, button, card, label, row, separator
from desktop_app.ui.views.widgets.flow_chips import FlowChips
from desktop_app.ui.views.widgets.page import Page

_ALL = "\0all"
_CHOSEN = "\0chosen"
_FORM_WIDTH = 460
_PANEL_WIDTH = 440
_DRIVERS = (DriverName.PRIVATE_API, DriverName.BROWSER)


class ComposePage(Page):
    """The draft of a run."""

    run_wanted = Signal(str)
    media_wanted = Signal()
    accounts_wanted = Signal()

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context.theme, "Compose")
        self._context = context
        self.presenter = ComposePresenter(context.presenters)
        self._build()
        self._connect()
        context.commands.add(
            Command(
                id="compose.start", title="Start the composed run", section="Compose", icon="play",
                shortcut="Ctrl+Return", run=self.presenter.start,
                is_enabled=lambda: self.isVisible() and self.panel.may_start(),
            )
        )  # fmt: skip
        self._refresh()

    def shown(self) -> None:
        """Judge the draft anew: the fleet may have changed."""
        super().shown()
        self._refresh()
        self.presenter.judge_soon()

    def _build(self) -> None:
        form = QWidget()
        inner = QVBoxLayout(form)
        inner.setContentsMargins(20, 16, 16, 20)
        inner.setSpacing(12)
        self.posts = PostsCard(self._context, self.presenter)
        self.caption = CaptionCard(self._context, self.presenter)
        self.options = self._build_options()
        for part in (
            self._build_tasks(),
            self._build_targets(),
            self.posts,
            self.caption,
            self.options,
        ):
            inner.addWidget(part)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(form)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(_FORM_WIDTH)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.panel = PreflightPanel(self._context, self.presenter)
        splitter = QSplitter()
        splitter.addWidget(scroll)
        splitter.addWidget(self.panel)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([620, _PANEL_WIDTH])
        splitter.setChildrenCollapsible(False)
        self.body.addWidget(separator())
        self.body.addWidget(splitter, 1)

    def _build_tasks(self) -> QFrame:
        self._tasks = QButtonGroup(self)
        buttons = []
        for place, task in enumerate(TASK_TYPES):
            made = QToolButton()
            made.setProperty("chip", "filter")
            made.setCheckable(True)
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            made.setIcon(self.theme.icon(task.icon, "text_muted", "accent"))
            made.setText(ICON_GAP + task.title)
            made.setAccessibleName(f"Task: {task.title}")
            made.setToolTip(task.summary)
            made.clicked.connect(lambda _=False, kind=task.kind: self.presenter.change(task=kind))
            self._tasks.addButton(made, place)
            buttons.append(made)
        self.summary = label("", "muted", wrap=True)
        self.run_name = QLineEdit()
        self.run_name.setPlaceholderText("Name of the run (optional)")
        self.run_name.setAccessibleName("Name of the run")
        self.run_name.textEdited.connect(lambda text: self.presenter.change(name=text))
        return card(label("What", "section"), row(*buttons, 1), self.summary, self.run_name)

    def _build_targets(self) -> QFrame:
        self.targets = FlowChips(self.theme, "Accounts")
        self.targets.chosen.connect(self._choose_targets)
        self.target_words = label("", "muted")
        head = row(label("With which accounts", "section"), 1, self.target_words)
        self.bring = button(
            self.theme, "Import accounts…", icon="plus", on_click=self.accounts_wanted.emit
        )
        return card(head, self.targets, row(self.bring, 1))

    def _build_options(self) -> QFrame:
        self.driver = QComboBox()
        self.driver.setAccessibleName("Driver")
        self.driver.addItem("Automatic: the first that can do it", None)
        for driver in _DRIVERS:
            self.driver.addItem(DRIVER_TITLES[driver], driver.value)
        self.driver.activated.connect(self._choose_driver)
        self.copies = QComboBox()
        self.copies.setAccessibleName("Posting again")
        self.copies.addItem("Post each media once per account", 0)
        for copy in (1, 2, 3, 4):
            ordinal = ("second", "third", "fourth", "fifth")[copy - 1]
            self.copies.addItem(f"Post again: the {ordinal} copy", copy)
        self.copies.activated.connect(
            lambda _: self.presenter.change(repeat=self.copies.currentData())
        )
        self.force = QCheckBox("Sign in anew, also where the saved session still works")
        self.force.setAccessibleName(self.force.text())
        self.force.toggled.connect(lambda on: self.presenter.change(force=on))
        self._upload_options = QWidget()
        inner = QVBoxLayout(self._upload_options)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        for text, field in (("Driver", self.driver), ("Copies", self.copies)):
            name = label(text, "muted")
            name.setFixedWidth(80)
            name.setBuddy(field)
            line = row(name, field)
            line.setStretch(1, 1)
            inner.addLayout(line)
        return card(label("How", "section"), self._upload_options, self.force)

    def _connect(self) -> None:
        presenter = self.presenter
        presenter.draft_changed.connect(self._refresh)
        presenter.started.connect(self.run_wanted)
        self.posts.media_wanted.connect(self.media_wanted)
        accounts = presenter.fleet.accounts.table
        for signal in (accounts.modelReset, accounts.rowsInserted, accounts.rowsRemoved):
            signal.connect(lambda *_: self._refresh() if self.isVisible() else None)

    def _choose_driver(self) -> None:
        driver = self.driver.currentData()
        self.presenter.change(driver=DriverName(driver) if driver else None)

    def _choose_targets(self, on: frozenset[str]) -> None:
        draft = self.presenter.draft
        everyone = _ALL in on
        if everyone and not draft.everyone:
            self.presenter.change(everyone=True, tags=frozenset(), account_ids=())
            return
        tags = on - {_ALL, _CHOSEN}
        everyone = everyone and not tags
        ids = draft.account_ids if _CHOSEN in on else ()
        self.presenter.change(everyone=everyone, tags=frozenset(tags), account_ids=ids)

    def _refresh(self) -> None:
        draft = self.presenter.draft
        upload = draft.task == UPLOAD
        for place, task in enumerate(TASK_TYPES):
            chosen = task.kind == draft.task
            self._tasks.button(place).setChecked(chosen)
            if chosen:
                self.summary.setText(task.summary)
        for part in (self.posts, self.caption, self._upload_options):
            part.setVisible(upload)
        self.force.setVisible(not upload)
        if self.run_name.text() != draft.name:
            self.run_name.setText(draft.name)
        self.copies.setCurrentIndex(self.copies.findData(draft.repeat))
        self.driver.setCurrentIndex(
            self.driver.findData(draft.driver.value if draft.driver else None)
        )
        self._show_targets()

    def _show_targets(self) -> None:
        draft = self.presenter.draft
        chips, on = [], set(draft.tags)
        total = self.presenter.fleet.accounts.table.total
        if draft.account_ids:
            chips.append(Chip(_CHOSEN, "Selected", len(draft.account_ids), "user", "text_faint"))
            on.add(_CHOSEN)
        if total:
            chips.append(Chip(_ALL, "All accounts", total, "users", "text_faint"))
        if draft.everyone:
            on.add(_ALL)
        counts: dict[str, int] = {}
        for account in self.presenter.fleet.accounts.table.rows():
            for tag in account.tags:
                counts[tag] = counts.get(tag, 0) + 1
        for tag, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
            chips.append(Chip(tag, tag, count, "tag", "text_faint"))
        self.targets.set_chips(chips, frozenset(on))
        self.targets.setVisible(bool(total))
        self.bring.setVisible(not total)
        targets = self.presenter.target_accounts()
        self.target_words.setText(_target_words(targets, total))


def _target_words(targets: int, total: int) -> str:
    """Say how many accounts are chosen, or why none can be."""
    if not total:
        return "No accounts yet"
    return count_of(targets, "account") if targets else "None chosen"
