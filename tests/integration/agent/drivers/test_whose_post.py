"""Whose a post is, as each driver learns it: the account's own, another's, or nobody's."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from agent.drivers.browser.host import BrowserHost
from agent.drivers.private_api.host import PrivateApiHost
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.errors import FlotillaError
from common.operations import SignsIn, TellsWhosePost, Whose
from tests.support.driving import PASSWORD, Remembered, credentials_of, seed_account
from tests.support.practice_client import PracticeClient
from tests.support.practice_process import PracticeProcess
from tests.support.sample_media import make_photo

INFO, PAGE = "/api/v1/media/*/info/", "/p/*"
NO_SUCH = "3000000000000000001_7"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeProcess]:
    with PracticeProcess.start(tmp_path_factory.mktemp("practice")) as platform:
        yield platform


@pytest_asyncio.fixture
async def hosts() -> AsyncIterator[dict[DriverName, BrowserHost | PrivateApiHost]]:
    browser = BrowserHost(slots=1, visible=False, send_screen=lambda _: None)
    api = PrivateApiHost()
    yield {DriverName.BROWSER: browser, DriverName.PRIVATE_API: api}
    await browser.close()
    await api.close()


def post_by_phone(practice: PracticeProcess, account: AccountAccess, folder: Path) -> str:
    """Publish a photo; returns the post's id."""
    phone = PracticeClient(practice.url)
    phone.login(account.username, PASSWORD)
    phone.publish_photo(make_photo(folder / f"{account.username}.jpg", 9), "By phone")
    phone.close()
    published: str = practice.posts(account.username)[-1]["post_id"]
    return published


@pytest.mark.parametrize(
    "name",
    [DriverName.PRIVATE_API, pytest.param(DriverName.BROWSER, marks=pytest.mark.browser)],
)
async def test_a_post_is_the_accounts_anothers_or_none(
    practice: PracticeProcess,
    hosts: dict[DriverName, BrowserHost | PrivateApiHost],
    tmp_path: Path,
    name: DriverName,
) -> None:
    account = seed_account(practice, f"own_{name}").model_copy(update={"driver": name})
    other = seed_account(practice, f"other_{name}")
    mine, others = (post_by_phone(practice, each, tmp_path) for each in (account, other))
    opened: AbstractAsyncContextManager[object] = hosts[name].open(
        account, tmp_path / "profile", Remembered().hooks()
    )
    async with opened as driver:
        assert isinstance(driver, SignsIn)
        assert isinstance(driver, TellsWhosePost)
        await driver.sign_in(credentials_of(account))
        assert await driver.whose_post(mine) is Whose.OWN
        assert await driver.whose_post(others) is Whose.OTHER
        assert await driver.whose_post(NO_SUCH) is Whose.NOBODY
        for status in (500, 429, 404):
            for route in (INFO, PAGE):
                practice.fault("refuse_status", route, account=account.username, status=status)
            with pytest.raises(FlotillaError):
                await driver.whose_post(mine)
            practice.clear_faults()
