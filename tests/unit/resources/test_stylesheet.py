"""Qt takes the style sheet as it is: no rule is dropped, and it reaches the widgets."""

import json
import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QPushButton
from pytestqt.logging import _QtMessageCapture
from pytestqt.qtbot import QtBot

import resources


def style_sheet(theme: str, icons: Path) -> str:
    """The template with every token and icon filled in for `theme`."""
    tokens = json.loads(resources.path("theme", "tokens.json").read_text(encoding="utf-8"))
    values = tokens["shared"] | tokens["themes"][theme]

    def value(match: re.Match[str]) -> str:
        kind, _, rest = match.group(1).partition(":")
        if kind != "icon":
            return str(values[kind])
        name, _, colour = rest.partition(":")
        drawing = resources.path("icons", "lucide", f"{name}.svg").read_text(encoding="utf-8")
        file = icons / f"{name}-{colour}.svg"
        file.write_text(drawing.replace("currentColor", values[colour]), encoding="utf-8")
        return file.as_posix()

    template = resources.path("theme", "flotilla.qss.template").read_text(encoding="utf-8")
    rules = re.sub(r"/\*.*?\*/", "", template, flags=re.DOTALL)
    return re.sub(r"\{\{([^}]*)\}\}", value, rules)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_qt_reads_every_rule(
    theme: str, qtbot: QtBot, qtlog: _QtMessageCapture, tmp_path: Path
) -> None:
    panel = QFrame()
    panel.setProperty("card", "true")
    qtbot.addWidget(panel)
    panel.setStyleSheet(style_sheet(theme, tmp_path))
    panel.show()
    assert [record.message for record in qtlog.records if "parse" in record.message] == []
    assert [record.message for record in qtlog.records if "property" in record.message] == []


def test_a_broken_rule_would_be_noticed(qtbot: QtBot, qtlog: _QtMessageCapture) -> None:
    panel = QFrame()
    qtbot.addWidget(panel)
    panel.setStyleSheet("QFrame { color: ; } }")
    panel.show()
    assert any("parse" in record.message for record in qtlog.records)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_properties_choose_the_colours(
    theme: str, qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    colours = json.loads(resources.path("theme", "tokens.json").read_text(encoding="utf-8"))
    chip, start = QLabel("Running"), QPushButton("Start")
    chip.setProperty("chip", "running")
    start.setProperty("kind", "primary")
    for widget, token in ((chip, "running_soft"), (start, "accent")):
        qtbot.addWidget(widget)
        widget.setStyleSheet(style_sheet(theme, tmp_path))
        widget.resize(160, 40)
        widget.show()
        qapp.processEvents()
        ground = widget.grab().toImage().pixelColor(5, widget.height() // 2)
        assert ground == QColor(colours["themes"][theme][token])
