"""Approved texts of what the library does, and the one command that renews them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.practice_process import PracticeProcess

APPROVED = Path(__file__).parent / "approved"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-contract",
        action="store_true",
        help="write what the library does now as the approved text; look at the difference",
    )


@pytest.fixture
def approved(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the approved one of that name, or write it anew."""

    def check(name: str, text: str) -> None:
        file = APPROVED / f"{name}.txt"
        if request.config.getoption("--update-contract", default=False):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, "utf-8", newline="\n")
        assert file.exists(), (
            f"no approved text {name}: run pytest tests/contract --update-contract"
        )
        assert text == file.read_text("utf-8"), (
            f"{name} differs from what was approved; if the change is wanted, run "
            "pytest tests/contract --update-contract and look at the difference"
        )

    return check


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform
