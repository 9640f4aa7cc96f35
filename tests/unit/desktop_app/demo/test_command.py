import pytest

from common.errors import FlotillaError
from desktop_app.demo.command import Report, choose_display
from desktop_app.demo.verdict import Verdict
from desktop_app.demo.voyage import Outcome


def outcome(*, published: int = 3, twice: int = 0, lost: int = 0) -> Outcome:
    return Outcome(Verdict(2, 3, published, twice, lost), 1.0, (), "run")


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (Report(outcome=outcome()), 0),
        (Report(outcome=outcome(twice=1)), 1),
        (Report(outcome=outcome(published=2, lost=1)), 1),
        (Report(problem=FlotillaError("The agent did not start.")), 1),
        (Report(outcome=outcome(), problem=FlotillaError("The core ended.")), 1),
        (Report(), 130),
    ],
    ids=["clean", "twice", "lost", "not started", "broken off at the end", "interrupted"],
)
def test_only_a_clean_verdict_ends_well(report: Report, status: int) -> None:
    assert report.status == status


def test_without_a_display_the_window_is_painted_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    environment: dict[str, str] = {}
    assert not choose_display(environment)
    assert environment == {"QT_QPA_PLATFORM": "offscreen"}
    assert choose_display({"DISPLAY": ":1"})
    assert choose_display({"WAYLAND_DISPLAY": "wayland-0"})
    assert not choose_display({"DISPLAY": ":1", "QT_QPA_PLATFORM": "offscreen"})
