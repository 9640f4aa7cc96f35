"""What the spectator of the demo reads."""

import io

from rich.console import Console

from desktop_app.demo.terminal import TerminalNarrator


def told(*, to_the_end: bool, terminal: bool) -> str:
    sink = io.StringIO()
    narrator = TerminalNarrator(Console(file=sink, force_terminal=terminal, width=80))
    with narrator:
        narrator.step("Signing in")
        narrator.step("Publishing")
        if to_the_end:
            narrator.done()
    assert narrator.current == ("" if to_the_end else "Publishing")
    return sink.getvalue()


def test_a_step_that_was_broken_off_has_no_check_mark() -> None:
    for terminal in (False, True):
        text = told(to_the_end=False, terminal=terminal)
        assert "✓ Signing in" in text
        assert "✓ Publishing" not in text


def test_every_step_is_checked_before_the_summary() -> None:
    for terminal in (False, True):
        assert "✓ Publishing" in told(to_the_end=True, terminal=terminal)
