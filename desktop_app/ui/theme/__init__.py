"""How the window looks: tokens, palette, style sheet, icons and fonts of both themes."""
