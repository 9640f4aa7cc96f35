"""How many examples a machine is given: 2,000 of 50 steps each, or as many as the option says."""

from __future__ import annotations

import pytest

USUAL_EXAMPLES = 2000
USUAL_SECONDS = 400


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--examples",
        type=int,
        metavar="N",
        help=f"examples of 50 steps per state machine (default {USUAL_EXAMPLES})",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give a machine time for the usual number, on a busy computer; for more, all it takes."""
    wanted = config.getoption("--examples", default=None) or USUAL_EXAMPLES
    for item in items:
        if "examples" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(0 if wanted > USUAL_EXAMPLES else USUAL_SECONDS))


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> int:
    """How many examples this run gives each machine."""
    return request.config.getoption("--examples", default=None) or USUAL_EXAMPLES
