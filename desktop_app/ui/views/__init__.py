"""Layout and painting: the main window, pages, dialogs, widgets and delegates. No decisions."""
