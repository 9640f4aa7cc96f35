"""Rules that no linter of ours knows: what would wedge the window's event loop is not written."""

import re
from pathlib import Path

import pytest

import desktop_app.ui

ROOT = Path(desktop_app.ui.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MODAL = re.compile(
    r"\.exec(_)?\(|QMessageBox\.\w+\(|QFileDialog\.get\w+\(|QInputDialog\.get\w+\(|asyncSlot"
    r"|asyncClose|processEvents\(\)\s*$(?<!app\.processEvents\(\))",
    re.MULTILINE,
)


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 40


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_runs_a_loop_of_its_own(file: Path) -> None:
    assert not MODAL.findall(file.read_text("utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_qasync_is_met_in_one_place(file: Path) -> None:
    imports = re.findall(r"^\s*(?:import|from) qasync", file.read_text("utf-8"), re.MULTILINE)
    assert bool(imports) == (file.name == "aio.py")


def test_the_rule_can_fail() -> None:
    assert MODAL.search("dialog.exec()")
    assert MODAL.search("QMessageBox.question(self)")
    assert MODAL.search("QFileDialog.getOpenFileName(self)")
