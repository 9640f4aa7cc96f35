"""The shipped typefaces, and the four sizes of type."""

from PySide6.QtGui import QFont, QFontDatabase

import resources

_FILES = (
    "Inter-Regular.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
    "Inter-Bold.otf",
    "JetBrainsMono-Regular.ttf",
)


def load_fonts() -> None:
    """Register the shipped typefaces with the running application."""
    for name in _FILES:
        QFontDatabase.addApplicationFont(str(resources.path("fonts", name)))


def make_font(family: str, pixels: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return a font with tabular figures, so that numbers stand under each other."""
    font = QFont(family)
    font.setPixelSize(pixels)
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
