"""Saved sessions keep to their platform and driver; posts have one id whoever made them."""

import pytest
from pydantic import SecretStr

from agent.drivers.posts import number_of, page_url, remote_id
from agent.drivers.sessions import open_session, seal_tag
from common.access import AccountAccess
from common.domain.accounts import DriverName, Platform
from common.errors import ConflictError


def account(platform: Platform, session: SecretStr | None = None) -> AccountAccess:
    url = "http://127.0.0.1:8000/" if platform is Platform.PRACTICE else ""
    return AccountAccess(
        account_id="id",
        platform=platform,
        platform_url=url,
        username="somebody",
        driver=DriverName.BROWSER,
        session=session,
    )


def test_a_session_comes_back_to_its_own_driver() -> None:
    practice = account(Platform.PRACTICE)
    session = seal_tag(practice, DriverName.BROWSER, {"storage_state": {"cookies": []}})
    state = open_session(account(Platform.PRACTICE, session), DriverName.BROWSER)
    assert state
    assert state["storage_state"] == {"cookies": []}


def test_a_session_of_another_driver_counts_as_none() -> None:
    session = seal_tag(account(Platform.PRACTICE), DriverName.PRIVATE_API, {"settings": {}})
    assert open_session(account(Platform.PRACTICE, session), DriverName.BROWSER) is None


@pytest.mark.parametrize(
    "text", ['{"driver":"browser","platform":"instagram"}', "{}", "no JSON", "[]"]
)
def test_a_session_of_another_platform_is_refused(text: str) -> None:
    with pytest.raises(ConflictError):
        open_session(account(Platform.PRACTICE, SecretStr(text)), DriverName.BROWSER)


def test_a_post_is_named_the_same_by_number_and_by_code() -> None:
    assert number_of("BA") == 64
    assert remote_id(number_of("BA"), "7") == remote_id("64", "7") == "64_7"
    assert remote_id(64, None) == "64"
    with pytest.raises(ValueError, match="substring"):
        number_of("no/code")


def test_a_page_lies_where_its_platform_is() -> None:
    assert page_url(account(Platform.PRACTICE), "BA") == "http://127.0.0.1:8000/p/BA/"
    assert page_url(account(Platform.INSTAGRAM), "BA") == "https://www.instagram.com/p/BA/"
