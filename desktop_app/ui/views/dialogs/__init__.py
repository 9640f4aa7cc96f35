"""Dialogs. They are awaited through `aio.ask`, never run in a loop of their own."""
