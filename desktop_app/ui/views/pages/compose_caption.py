"""The caption of the draft: variables, counters, hashtags, and captions of single accounts."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QCompleter,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from common.limits.rules import load_limits
from common.tasks.captions import VARIABLES, unknown_variables
from desktop_app.ui.presenters.compose import ComposePresenter, hashtags_of
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.widgets.controls import (
    button,
    clear_layout,
    icon_button,
    label,
    row,
    set_role,
)

_EDITOR_HEIGHT = 104
_OVERRIDE_HEIGHT = 64


class CaptionCard(QFrame):
    """The caption."""

    def __init__(self, context: ViewContext, presenter: ComposePresenter) -> None:
        super().__init__()
        self._theme = context.theme
        self._presenter = presenter
        self._limits = load_limits().caption
        self._shown: list[str] = []
        self._editors: dict[str, QPlainTextEdit] = {}
        self.setProperty("card", "true")
        self._build()
        presenter.draft_changed.connect(self._refresh)
        presenter.judged.connect(self._count)
        self._refresh()

    def _build(self) -> None:
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Caption")
        self.text.setPlaceholderText("{title}, by {full_name}")
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(_EDITOR_HEIGHT)
        self.text.textChanged.connect(
            lambda: self._presenter.change(caption=self.text.toPlainText())
        )
        variables = row(label("Insert", "faint"), spacing=4)
        for name, meaning in VARIABLES.items():
            made = QToolButton()
            made.setProperty("chip", "neutral")
            made.setText(f"{{{name}}}")
            made.setToolTip(f"Stands for {meaning}.")
            made.setAccessibleName(f"Insert {meaning}")
            made.clicked.connect(lambda _=False, name=name: self._insert(name))
            variables.addWidget(made)
        variables.addStretch(1)
        self.count = label("", "faint")
        self.problem = label("", "danger", wrap=True)
        self.hashtags = QLineEdit()
        self.hashtags.setPlaceholderText("Hashtags behind every caption: harbour coast")
        self.hashtags.setAccessibleName("Hashtags")
        self.hashtags.textEdited.connect(lambda text: self._presenter.change(hashtags=text))
        self._overrides = QVBoxLayout()
        self._overrides.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addLayout(row(label("Caption", "section"), 1, self.count))
        layout.addWidget(self.text)
        layout.addLayout(variables)
        layout.addWidget(self.problem)
        layout.addWidget(self.hashtags)
        layout.addLayout(self._overrides)
        layout.addLayout(self._build_new_override())

    def _build_new_override(self) -> QVBoxLayout:
        self.who = QLineEdit()
        self.who.setPlaceholderText("Another caption for one account: its user name")
        self.who.setAccessibleName("Account with a caption of its own")
        self.who.returnPressed.connect(self._add)
        self._adder = button(self._theme, "Add", "ghost", icon="plus", on_click=self._add)
        self._adder.setAccessibleName("Add a caption for this account")
        self._adder.setEnabled(False)
        self.who.textChanged.connect(lambda text: self._adder.setEnabled(bool(text.strip())))
        line = row(self.who, self._adder)
        line.setStretch(0, 1)
        holder = QVBoxLayout()
        holder.addLayout(line)
        return holder

    def _insert(self, name: str) -> None:
        self.text.insertPlainText(f"{{{name}}}")
        self.text.setFocus()

    def _add(self) -> None:
        name = self.who.text().strip().removeprefix("@")
        if name:
            captions = {**self._presenter.draft.captions}
            captions.setdefault(name, self._presenter.draft.caption)
            self.who.clear()
            self._presenter.change(captions=captions)

    def _refresh(self) -> None:
        draft = self._presenter.draft
        if self.text.toPlainText() != draft.caption:
            self.text.setPlainText(draft.caption)
        if self.hashtags.text() != draft.hashtags:
            self.hashtags.setText(draft.hashtags)
        unknown = ", ".join(f"{{{name}}}" for name in unknown_variables(draft.caption))
        self.problem.setVisible(bool(unknown))
        self.problem.setText(f"Not a variable: {unknown}.")
        set_role(self.text, "invalid", "true" if unknown else "false")
        self._complete_names()
        self._show_overrides()
        self._count()

    def _complete_names(self) -> None:
        names = [row.username for row in self._presenter.fleet.accounts.table.rows()]
        if names != self._shown:
            self._shown = names
            self.who.setCompleter(QCompleter(names, self.who))

    def _show_overrides(self) -> None:
        captions = self._presenter.draft.captions
        if list(captions) != list(self._editors):
            clear_layout(self._overrides)
            self._editors = {name: self._make_override(name) for name in captions}
        for name, text in captions.items():
            if self._editors[name].toPlainText() != text:
                self._editors[name].setPlainText(text)

    def _make_override(self, name: str) -> QPlainTextEdit:
        editor = QPlainTextEdit()
        editor.setAccessibleName(f"Caption for {name}")
        editor.setTabChangesFocus(True)
        editor.setFixedHeight(_OVERRIDE_HEIGHT)
        editor.textChanged.connect(lambda: self._change(name, editor.toPlainText()))
        remove = icon_button(
            self._theme, "x", f"Drop the caption for {name}", on_click=lambda: self._drop(name)
        )
        box = QWidget()
        inner = QVBoxLayout(box)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addLayout(row(label(f"Only for {name}", "muted"), 1, remove))
        inner.addWidget(editor)
        self._overrides.addWidget(box)
        return editor

    def _change(self, name: str, text: str) -> None:
        captions = self._presenter.draft.captions
        if captions.get(name) != text:
            self._presenter.change(captions={**captions, name: text})

    def _drop(self, name: str) -> None:
        captions = self._presenter.draft.captions
        self._presenter.change(
            captions={key: text for key, text in captions.items() if key != name}
        )

    def _count(self) -> None:
        """Count what the longest caption as planned holds; before the plan, the template."""
        draft, plan = self._presenter.draft, self._presenter.judgement.preflight
        texts = [item.caption for item in plan.items] if plan and plan.items else [draft.caption]
        longest = max(len(text) for text in texts)
        tags = max(text.count("#") for text in texts)
        if not (plan and plan.items):
            tags += len(hashtags_of(draft.hashtags))
        over = longest > self._limits.characters or tags > self._limits.hashtags
        set_role(self.count, "role", "danger" if over else "faint")
        self.count.setText(
            f"{longest:,} / {self._limits.characters:,} characters · "
            f"{tags} / {self._limits.hashtags} hashtags"
        )
