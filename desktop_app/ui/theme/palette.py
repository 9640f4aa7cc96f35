"""The tokens as a QPalette, for everything that the style sheet does not reach."""

from PySide6.QtGui import QColor, QPalette

from desktop_app.ui.theme.tokens import Tokens

_ROLES: dict[QPalette.ColorRole, str] = {
    QPalette.ColorRole.Window: "background",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "surface",
    QPalette.ColorRole.AlternateBase: "surface",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.PlaceholderText: "text_faint",
    QPalette.ColorRole.Button: "surface_raised",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "danger",
    QPalette.ColorRole.Highlight: "selection",
    QPalette.ColorRole.HighlightedText: "text",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.LinkVisited: "accent",
    QPalette.ColorRole.ToolTipBase: "surface_raised",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Mid: "border_strong",
    QPalette.ColorRole.Dark: "border",
    QPalette.ColorRole.Light: "surface_raised",
    QPalette.ColorRole.Shadow: "surface_sunken",
}
_FAINT_WHEN_DISABLED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)


def build_palette(tokens: Tokens) -> QPalette:
    """Return the palette of one scheme."""
    palette = QPalette()
    for role, token in _ROLES.items():
        palette.setColor(role, QColor(tokens.colours[token]))
    faint = QColor(tokens.colours["text_faint"])
    for role in _FAINT_WHEN_DISABLED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return palette
