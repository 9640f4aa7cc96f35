"""Dialogs and the palette: problems by line, errors in place, commands by a few letters."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from desktop_app.ui.app import WindowHandle
from desktop_app.ui.gallery_data import SampleCore
from desktop_app.ui.presenters.accounts import AccountsPresenter
from desktop_app.ui.presenters.agents import AgentsPresenter
from desktop_app.ui.views.dialogs.command_palette import CommandPalette
from desktop_app.ui.views.dialogs.import_accounts import ImportDialog
from desktop_app.ui.views.dialogs.pair_agent import PairDialog
from tests.support.window import until, with_window


def main_button(dialog: ImportDialog | PairDialog) -> QPushButton:
    return next(b for b in dialog.findChildren(QPushButton) if b.isDefault())


def import_dialog(handle: WindowHandle) -> ImportDialog:
    presenter = AccountsPresenter(handle.context.presenters)
    context = handle.context
    dialog = ImportDialog(
        context.theme, handle.window, context.tasks, presenter.try_import, "http://127.0.0.1:1"
    )
    dialog.open()
    return dialog


def test_the_import_shows_each_problem_with_its_line(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        dialog = import_dialog(handle)
        dialog.authority.setChecked(True)
        dialog.text.setPlainText("harbour.shop:tide\npine.cafe\nquay.books:fog\nlantern")
        await until(lambda: dialog.problems.rowCount() == 2, "two problems")
        assert [problem.line for problem in dialog.problems.shown()] == [2, 4]
        assert not main_button(dialog).isEnabled()
        dialog.table.select_ids([dialog.problems.id_at(1)])
        assert dialog.text.textCursor().selectedText() == "lantern"
        dialog.text.setPlainText("harbour.shop:tide\nquay.books:fog")
        await until(lambda: main_button(dialog).isEnabled(), "a text without problems")
        assert main_button(dialog).text() == "Import 2 accounts"
        dialog.close()

    assert with_window(SampleCore(12, time.time()), story) == 0


def test_nothing_is_imported_without_authority(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        dialog = import_dialog(handle)
        dialog.text.setPlainText("harbour.shop:tide")
        await until(lambda: "Ready" in dialog.verdict.text(), "the preview")
        assert not main_button(dialog).isEnabled()
        dialog.authority.setChecked(True)
        assert main_button(dialog).isEnabled()
        dialog.close()

    assert with_window(SampleCore(12, time.time()), story) == 0


def test_a_file_that_is_not_text_is_refused_by_name(qapp: object, tmp_path: Path) -> None:
    async def story(handle: WindowHandle) -> None:
        file = tmp_path / "accounts.csv"
        file.write_bytes(b"\xff\xfe\x00binary")
        dialog = import_dialog(handle)
        dialog.load_file(file)
        assert "accounts.csv" in dialog._words.text()
        file.write_text("harbour.shop:tide\n", "utf-8")
        dialog.load_file(file)
        assert dialog.text.toPlainText().startswith("harbour.shop")
        dialog.close()

    assert with_window(SampleCore(12, time.time()), story) == 0


def test_a_pairing_that_fails_says_why_and_may_be_tried_again(qapp: object) -> None:
    async def story(handle: WindowHandle) -> None:
        context = handle.context
        presenter = AgentsPresenter(context.presenters)
        dialog = PairDialog(context.theme, handle.window, context.tasks, presenter.pair)
        dialog.open()
        assert not main_button(dialog).isEnabled()
        dialog.line.setText("flotilla://10.0.4.11:8088/abc#code")
        main_button(dialog).click()
        await until(lambda: "Nothing answers" in dialog._words.text(), "the error")
        assert "worker machine" in dialog._advice.text()
        assert main_button(dialog).isEnabled()
        dialog.close()

    assert with_window(SampleCore(12, time.time()), story) == 0


def test_the_palette_finds_commands_and_accounts(qtbot: QtBot) -> None:
    async def story(handle: WindowHandle) -> None:
        view = handle.window.view
        view.open_palette()
        palette = view.findChild(CommandPalette)
        palette.line.setText("impo")
        assert palette.titles()[0] == "Import accounts"
        palette.line.setText("lantern")
        assert any(title.startswith("lantern.") for title in palette.titles())
        palette.line.setText("go to runs")
        qtbot.keyClick(palette.line, Qt.Key.Key_Return)
        await until(lambda: view.current == "runs", "the runs page")

    assert with_window(SampleCore(12, time.time()), story) == 0
