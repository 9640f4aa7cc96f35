"""What a practice account may be given as an address."""

import pytest

from agent.drivers.confinement import is_loopback, require_confined
from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import DriverName, Platform
from common.errors import InputError

LOOPBACK = "http://127.0.0.1:8000"


def account(platform: Platform, url: str, proxy: str = "") -> AccountAccess:
    return AccountAccess(
        account_id="id",
        platform=platform,
        platform_url=url,
        username="somebody",
        driver=DriverName.PRIVATE_API,
        proxy=ProxyAccess(proxy_id="p", url=proxy) if proxy else None,
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", None, "127.0.0.1.example.org", "192.0.2.1", "10.0.0.1", "instagram.com"]
)
def test_other_machines(host: str | None) -> None:
    assert not is_loopback(host)


def test_a_practice_account_on_this_machine_is_confined() -> None:
    require_confined(account(Platform.PRACTICE, LOOPBACK, "http://127.0.0.1:3128"))


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("", ""),
        ("https://127.0.0.1", ""),
        ("http://example.org", ""),
        ("http://127.0.0.1@example.org", ""),
        (LOOPBACK, "http://proxy.example.org:3128"),
        (LOOPBACK, "socks5://127.0.0.1:1080"),
    ],
)
def test_a_practice_account_that_could_leave_is_refused(url: str, proxy: str) -> None:
    with pytest.raises(InputError):
        require_confined(account(Platform.PRACTICE, url, proxy))


def test_a_real_account_names_no_practice_platform() -> None:
    require_confined(account(Platform.INSTAGRAM, "", "http://proxy.example.org:3128"))
    with pytest.raises(InputError):
        require_confined(account(Platform.INSTAGRAM, LOOPBACK))
