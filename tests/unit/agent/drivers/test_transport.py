"""The one door of an account's traffic, with the real library behind it."""

import pytest
import requests
from instagrapi.exceptions import ClientError
from instagrapi.transports import create_curl_h2_adapter
from requests.adapters import BaseAdapter

from agent.drivers.hooks import CancelFlag
from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.exchange import Cut, TransportCutError
from agent.drivers.private_api.transport import (
    Deadlines,
    GuardedTransport,
    PracticeRoute,
    Wire,
)
from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import DriverName, Platform
from tests.support.http2_server import ResettingHttp2Server
from tests.support.scripted_server import DROP, HANG, answer, scripted


def client_for(url: str, **fields: object) -> AccountClient:
    account = AccountAccess(
        account_id="id",
        platform=Platform.PRACTICE,
        platform_url=url,
        username="somebody",
        driver=DriverName.PRIVATE_API,
    ).model_copy(update=fields)
    return AccountClient(account)


def begin(client: AccountClient, cancel: CancelFlag | None = None) -> list[str]:
    lines: list[str] = []
    client.wire.begin(lines.append, cancel)
    return lines


@pytest.mark.parametrize(
    ("reply", "cut"),
    [
        (answer("408 Request Timeout"), None),
        (answer("200 OK", '{"status": "ok"', length=400), Cut.NO_ANSWER),
        (DROP, Cut.NO_ANSWER),
        (b"not HTTP at all\r\n\r\n", Cut.NO_ANSWER),
    ],
    ids=["408", "half an answer", "dropped", "garbage"],
)
def test_a_request_without_a_whole_answer_is_never_sent_again(
    reply: bytes, cut: Cut | None
) -> None:
    with scripted(reply, answer("200 OK")) as server:
        client = client_for(server.url)
        begin(client)
        with pytest.raises(TransportCutError):
            client.private_request("media/configure/", {"upload_id": "1"})
        client.close()
        assert len(server.requests) == 1
        assert client.wire.cut is cut


@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 Oh", "502 Oh", "503 Oh"])
def test_a_busy_platform_is_not_asked_again(status: str) -> None:
    with scripted(answer(status), answer("200 OK")) as server:
        client = client_for(server.url)
        begin(client)
        with pytest.raises(ClientError):
            client.private_request("media/configure/", {"upload_id": "1"})
        client.close()
        assert len(server.requests) == 1


def test_a_proxy_that_hangs_up_after_the_request_proves_nothing() -> None:
    with scripted(DROP) as proxy:
        client = client_for("http://127.0.0.1:9", proxy=ProxyAccess(proxy_id="p", url=proxy.url))
        begin(client)
        with pytest.raises(TransportCutError):
            client.private_request("media/configure/", {"upload_id": "1"})
        client.close()
        assert len(proxy.requests) == 1, "the proxy has it, and may have passed it on"
    assert client.wire.cut is Cut.NO_ANSWER


def test_a_deciding_call_gets_one_request_out() -> None:
    elsewhere = answer("307 Temporary Redirect").replace(
        b"\r\n\r\n", b"\r\nLocation: https://i.instagram.com/api/v1/again/\r\n\r\n"
    )
    with scripted(elsewhere, answer("200 OK")) as server:
        client = client_for(server.url)
        client.wire.begin(lambda _: None, None, decides=True)
        with pytest.raises(TransportCutError):
            client.private_request("media/configure/", {"upload_id": "1"})
        client.close()
        assert len(server.requests) == 1
    assert client.wire.cut is Cut.NO_ANSWER


class LibraryRoute:
    """The transport that the real platform is reached by, led to a server of this test."""

    def __init__(self, url: str) -> None:
        self._url = url

    def aim(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        aimed = request.copy()
        aimed.url = self._url
        return aimed

    def adapter(self) -> BaseAdapter:
        adapter: BaseAdapter = create_curl_h2_adapter()
        return adapter


def test_the_real_transport_sends_a_deciding_request_once_when_the_connection_breaks() -> None:
    wire = Wire()
    with ResettingHttp2Server(answers=1) as server, requests.Session() as session:
        session.mount("https://", GuardedTransport(LibraryRoute(server.url), wire))
        wire.begin(lambda _: None, None)
        assert session.post("https://i.instagram.com/upload", data=b"x").status_code == 200
        assert wire.platform_time == 1_700_000_000
        wire.begin(lambda _: None, None, decides=True)
        with pytest.raises(TransportCutError):
            session.post("https://i.instagram.com/configure", data=b"x")
        assert server.requests == 2
    assert wire.cut is Cut.NO_ANSWER


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000),
        ("a while ago", None),
        ("Tue, 99 Nov 2023 22:13:20 GMT", None),
    ],
)
def test_the_platforms_clock_is_that_of_its_newest_answer(date: str, seconds: int | None) -> None:
    with scripted(answer(f"200 OK\r\nDate: {date}"), answer("200 OK")) as server:
        client = client_for(server.url)
        begin(client)
        client.private_request("first/")
        begin(client)
        client.private_request("second/")
        client.close()
        assert client.wire.platform_time == seconds


def test_where_nothing_listens_nothing_was_sent() -> None:
    with scripted() as server:
        url = server.url
    client = client_for(url)
    begin(client)
    with pytest.raises(TransportCutError):
        client.private_request("media/configure/", {"upload_id": "1"})
    assert client.wire.cut is Cut.NOT_SENT


def test_a_dead_proxy_is_told_from_a_dead_platform() -> None:
    with scripted() as server:
        url = server.url
    client = client_for("http://127.0.0.1:9", proxy=ProxyAccess(proxy_id="p", url=url))
    begin(client)
    with pytest.raises(TransportCutError):
        client.private_request("media/configure/", {"upload_id": "1"})
    assert client.wire.cut is Cut.PROXY


def test_hosts_that_are_not_listed_are_not_asked() -> None:
    client = client_for("http://127.0.0.1:9")
    begin(client)
    for session in (client.private, client.public, client.graphql):
        with pytest.raises(TransportCutError):
            session.get("https://graph.facebook.com/")
    assert client.wire.cut is Cut.FORBIDDEN


def test_a_cancelled_item_sends_nothing() -> None:
    cancel = CancelFlag()
    cancel.set()
    client = client_for("http://127.0.0.1:9")
    begin(client, cancel)
    with pytest.raises(TransportCutError):
        client.private_request("media/configure/", {"upload_id": "1"})
    assert client.wire.cut is Cut.CANCELLED


def test_settings_cannot_bring_a_real_transport_back() -> None:
    client = client_for("http://127.0.0.1:9")
    settings = client.get_settings()
    client.set_settings({**settings, "private_transport": "curl", "public_transport": "requests"})
    client.set_retry_config(session_retry_total=3, private_transport="curl")
    for session in (client.private, client.public, client.graphql):
        assert set(map(type, session.adapters.values())) == {GuardedTransport}
        assert not session.trust_env


def test_a_session_brings_no_transport_settings_along() -> None:
    account = AccountAccess(
        account_id="id",
        platform=Platform.PRACTICE,
        platform_url="http://127.0.0.1:9",
        username="somebody",
        driver=DriverName.PRIVATE_API,
    )
    client = AccountClient(account, {"request_timeout": 5, "tls_verify": False})
    assert client.request_timeout == 0
    assert client.private.verify is True
    assert "request_timeout" not in client.settings_to_keep()


def test_the_log_line_names_neither_query_nor_header() -> None:
    with scripted(answer("200 OK", '{"status": "ok"}')) as server:
        client = client_for(server.url)
        lines = begin(client)
        client.private_request("users/1/info/?secret=canary")
        client.close()
    (line,) = lines
    assert line.startswith("GET /api/v1/users/1/info/ 200 ")
    assert "canary" not in line


@pytest.mark.parametrize("reply", [HANG, answer("200 OK", "{}", length=400) + HANG])
def test_a_platform_that_hangs_is_given_up_in_time(reply: bytes) -> None:
    wire = Wire()
    deadlines = Deadlines(connect=0.2, answer=0.2)
    with scripted(reply) as server, requests.Session() as session:
        session.mount("https://", GuardedTransport(PracticeRoute(server.url), wire, deadlines))
        with pytest.raises(TransportCutError):
            session.get("https://i.instagram.com/api/v1/feed/")
    assert wire.cut is Cut.NO_ANSWER


def test_a_large_upload_is_given_more_time() -> None:
    request = requests.Request("POST", "https://i.instagram.com/", data=b"x" * 640).prepare()
    assert Deadlines(answer=30, slowest_upload=64).for_answer(request) == 40


def real_client_behind(proxy_url: str) -> AccountClient:
    """A client of the real platform that can get no further than a proxy of this test."""
    account = AccountAccess(
        account_id="id",
        platform=Platform.INSTAGRAM,
        username="somebody",
        driver=DriverName.PRIVATE_API,
        proxy=ProxyAccess(proxy_id="p", url=proxy_url),
    )
    client = AccountClient(account)
    for session in (client.private, client.public, client.graphql):
        assert session.proxies["https"] == proxy_url, "it would leave this machine"
    return client


def test_the_real_transport_names_a_proxy_that_refuses() -> None:
    with scripted(answer("407 Proxy Authentication Required")) as proxy:
        client = real_client_behind(proxy.url)
        begin(client)
        with pytest.raises(TransportCutError):
            client.private_request("media/configure/", {"upload_id": "1"})
        client.close()
        assert proxy.requests == ["CONNECT i.instagram.com:443 HTTP/1.1"]
    assert client.wire.cut is Cut.PROXY


def test_the_real_transport_names_a_proxy_that_is_dead() -> None:
    with scripted() as proxy:
        url = proxy.url
    client = real_client_behind(url)
    for session in (client.private, client.public):
        begin(client)
        with pytest.raises(TransportCutError):
            session.get("https://i.instagram.com/api/v1/feed/")
        assert client.wire.cut is Cut.PROXY
    client.close()
