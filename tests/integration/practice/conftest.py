"""A running platform, accounts on it, and media to publish."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.practice_client import PracticeClient
from tests.support.practice_process import PracticeProcess, SeededAccount
from tests.support.sample_media import make_photo, make_reel


@pytest.fixture(scope="module")
def practice_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as practice:
        yield practice


@pytest.fixture(autouse=True)
def _no_faults_left(practice_platform: PracticeProcess) -> Iterator[None]:
    yield
    practice_platform.clear_faults()


@pytest.fixture(scope="module")
def account_names() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def new_account(
    practice_platform: PracticeProcess, account_names: Iterator[int]
) -> Callable[..., SeededAccount]:
    """Makes an account with a name of its own."""

    def make(**fields: Any) -> SeededAccount:
        username, password = f"user{next(account_names)}", "pässword with blanks"
        ids = practice_platform.seed([{"username": username, "password": password, **fields}])
        return SeededAccount(username, password, ids[username], fields.get("totp_seed"))

    return make


@pytest.fixture
def new_client(practice_platform: PracticeProcess) -> Iterator[Callable[..., PracticeClient]]:
    """Makes instagrapi clients and closes them."""
    clients: list[PracticeClient] = []

    def make(**arguments: Any) -> PracticeClient:
        clients.append(PracticeClient(practice_platform.url, **arguments))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def signed_in(
    new_account: Callable[..., SeededAccount], new_client: Callable[..., PracticeClient]
) -> tuple[PracticeClient, SeededAccount]:
    """A client that has signed in to an account of its own."""
    account, client = new_account(), new_client()
    client.login(account.username, account.password)
    return client, account


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    return [make_photo(folder / f"{number}.jpg", number) for number in range(3)]


@pytest.fixture(scope="session")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_reel(tmp_path_factory.mktemp("reel") / "reel.mp4")
