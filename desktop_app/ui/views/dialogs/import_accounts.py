"""Importing accounts: paste or choose a file, see every problem by line, then apply all or none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QStackedLayout,
    QWidget,
)

from common.domain.accounts import Platform
from common.errors import FlotillaError, InputError
from desktop_app.contract.accounts import ImportAccounts, ImportResult
from desktop_app.ui.aio import Tasks, choose_files
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.models.problems import import_problem_table
from desktop_app.ui.presenters.accounts import import_command
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.dialogs.base import Dialog
from desktop_app.ui.views.widgets.controls import button, label, row, set_role
from desktop_app.ui.views.widgets.data_table import DataTable

_PREVIEW_MILLISECONDS = 250
_MOST_BYTES = 16 * 1024 * 1024
_EXAMPLE = (
    "username,password,totp,full_name,tags,proxy\n"
    "harbour.shop,…,JBSWY3DP…,Harbour Shop,summer;coast,http://user:pass@host:3128\n\n"
    "or one account per line:  username:password:totp:proxy"
)

Import = Callable[[ImportAccounts], Awaitable[ImportResult]]


class ImportDialog(Dialog):
    """The import of accounts."""

    def __init__(
        self, theme: Theme, parent: QWidget, tasks: Tasks, run: Import, practice_url: str
    ) -> None:
        super().__init__(theme, parent, "Import accounts", width=720)
        self.resize(760, 640)
        self._tasks = tasks
        self._run = run
        self._generation = 0
        self._result: ImportResult | None = None
        self._build_text()
        self._build_options(practice_url)
        self._build_preview()
        self._main = self.add_foot("Import")
        self._main.setEnabled(False)
        self._main.clicked.connect(lambda: self._tasks.spawn(self, self._apply(), "import"))
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_PREVIEW_MILLISECONDS)
        self._soon.timeout.connect(self._preview)
        self.text.setFocus()
        self._platform_changed()

    def _build_text(self) -> None:
        hint = label("Paste a table with a header line, or one account per line.", "muted")
        choose = button(self.theme, "Choose a file…", icon="folder-open", on_click=self._choose)
        self.body.addLayout(row(hint, 1, choose))
        self.text = QPlainTextEdit()
        self.text.setProperty("role", "mono")
        self.text.setAccessibleName("Accounts to import")
        self.text.setPlaceholderText(_EXAMPLE)
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setMinimumHeight(140)
        self.text.textChanged.connect(self._changed)
        self.body.addWidget(self.text, 3)

    def _build_options(self, practice_url: str) -> None:
        self.platform = QComboBox()
        self.platform.addItem("Instagram", Platform.INSTAGRAM)
        self.platform.addItem("Practice platform", Platform.PRACTICE)
        self.platform.currentIndexChanged.connect(self._platform_changed)
        self.url = QLineEdit(practice_url)
        self.url.setPlaceholderText("http://127.0.0.1:8700")
        self.url.textChanged.connect(self._changed)
        self.tags = QLineEdit()
        self.tags.setPlaceholderText("summer, coast")
        self.tags.textChanged.connect(self._changed)
        form = QFormLayout()
        form.setSpacing(8)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for text, field in (
            ("&Platform", self.platform),
            ("Practice &address", self.url),
            ("&Tags for all", self.tags),
        ):
            name = label(text, "muted")
            name.setBuddy(field)
            name.setFixedWidth(120)
            field.setAccessibleName(text.replace("&", ""))
            form.addRow(name, field)
        self.body.addLayout(form)
        self.authority = QCheckBox("I own these accounts, or their owners let me manage them.")
        self.authority.setAccessibleName(self.authority.text())
        self.authority.toggled.connect(self._judge)
        if practice_url:
            self.platform.setCurrentIndex(1)

    def _build_preview(self) -> None:
        self.verdict = label("Nothing to import yet.", "muted", wrap=True)
        self.body.addWidget(self.verdict)
        self.problems = import_problem_table()
        self.table = DataTable(self.theme, self.problems, "Problems of the import")
        self.table.setProperty("framed", "true")
        self.table.setMinimumHeight(120)
        self.table.chosen.connect(self._go_to)
        self._room = QStackedLayout()
        self._room.addWidget(QWidget())
        self._room.addWidget(self.table)
        self.body.addLayout(self._room, 2)
        self.body.addWidget(self.authority)

    def _choose(self) -> None:
        self._tasks.spawn(self, self._choose_file(), "choose a file")

    async def _choose_file(self) -> None:
        kinds = "Tables and text (*.csv *.txt);;All files (*)"
        for name in await choose_files(self, "Accounts to import", kinds):
            self.load_file(Path(name))

    def load_file(self, path: Path) -> None:
        """Put a file's text into the field; what cannot be read is said in the dialog."""
        try:
            self.text.setPlainText(_read(path))
            self.show_problem(None)
        except InputError as problem:
            self.show_problem(problem)

    def _platform_changed(self) -> None:
        self.url.setEnabled(self._platform() is Platform.PRACTICE)
        self._changed()

    def _platform(self) -> Platform:
        return Platform(self.platform.currentData())

    def _command(self, *, dry_run: bool) -> ImportAccounts:
        return import_command(
            self.text.toPlainText(),
            platform=self._platform(),
            platform_url=self.url.text().strip(),
            tags=[tag.strip() for tag in self.tags.text().split(",") if tag.strip()],
            dry_run=dry_run,
            confirmed=self.authority.isChecked(),
        )

    def _changed(self) -> None:
        self._generation += 1
        self._result = None
        if hasattr(self, "_main"):
            self._judge()
            self._soon.start()

    def _preview(self) -> None:
        if not self.text.toPlainText().strip():
            self._take(None)
            return
        self._tasks.spawn(self, self._ask(self._generation), "preview of the import")

    async def _ask(self, generation: int) -> None:
        try:
            result = await self._run(self._command(dry_run=True))
        except FlotillaError as problem:
            if generation == self._generation:
                self.show_problem(problem)
            return
        if generation == self._generation:
            self.show_problem(None)
            self._take(result)

    async def _apply(self) -> None:
        self._main.setEnabled(False)
        try:
            result = await self._run(self._command(dry_run=False))
        except FlotillaError as problem:
            self.show_problem(problem)
            self._judge()
            return
        if result.applied:
            self.accept()
        else:
            self._take(result)

    def _take(self, result: ImportResult | None) -> None:
        self._result = result
        self.problems.set_rows(result.problems if result else [])
        self._room.setCurrentIndex(1 if self.problems.total else 0)
        self._judge()

    def _judge(self) -> None:
        result = self._result
        ready = result is not None and not result.problems and result.accounts > 0
        self._main.setEnabled(ready and self.authority.isChecked())
        count = count_of(result.accounts, "account") if result and ready else ""
        self._main.setText(f"Import {count}" if ready else "Import")
        set_role(self.verdict, "role", "danger" if result and result.problems else "muted")
        self.verdict.setText(self._verdict_words(result))

    def _verdict_words(self, result: ImportResult | None) -> str:
        if result is None:
            return "Reading…" if self.text.toPlainText().strip() else "Nothing to import yet."
        if result.problems:
            what = count_of(len(result.problems), "problem")
            return f"{what}. Nothing is imported before every line is right."
        proxies = f" and {count_of(result.proxies, 'proxy', 'proxies')}" if result.proxies else ""
        tail = "" if self.authority.isChecked() else " Confirm below that you may manage them."
        return f"Ready: {count_of(result.accounts, 'account')}{proxies}.{tail}"

    def _go_to(self, ids: list[str]) -> None:
        problem = self.problems.row(ids[0]) if ids else None
        if problem is not None and problem.line > 0:
            block = self.text.document().findBlockByNumber(problem.line - 1)
            cursor = QTextCursor(block)
            cursor.select(QTextCursor.SelectionType.LineUnderCursor)
            self.text.setTextCursor(cursor)
            self.text.ensureCursorVisible()


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(
                f"{path.name} is too large to be a list of accounts.", subject=path.name
            )
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{path.name} is not text in UTF-8.",
            subject=path.name,
            advice="Save it as CSV in UTF-8, then choose it again.",
        ) from None
    except OSError as problem:
        raise InputError(
            f"{path.name} cannot be read: {problem.strerror}.", subject=path.name
        ) from None
