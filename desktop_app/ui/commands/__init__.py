"""Every act of the window by name: what the palette, the menus and the shortcuts call."""
