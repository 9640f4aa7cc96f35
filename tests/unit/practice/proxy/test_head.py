"""Heads of proxy requests."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.proxy.head import HeadError, parse_head

LOGIN = b"Proxy-Authorization: Basic " + base64.b64encode(b"marie:a:b") + b"\r\n"


def test_a_request_is_rewritten_for_the_platform() -> None:
    head = parse_head(
        b"GET http://127.0.0.1:8000/p/x/?a=1 HTTP/1.1\r\nHost: i.instagram.com\r\n"
        + LOGIN
        + b"Proxy-Connection: keep-alive\r\nX-Own: y\r\n\r\n"
    )
    assert head.leads_to(8000)
    assert head.credentials() == ("marie", "a:b")
    assert head.for_origin() == (
        b"GET /p/x/?a=1 HTTP/1.1\r\nHost: i.instagram.com\r\nX-Own: y\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "GET http://127.0.0.1:8001/ HTTP/1.1",
        "GET http://example.com:8000/ HTTP/1.1",
        "GET http://127.0.0.1.example.com:8000/ HTTP/1.1",
        "GET http://127.0.0.1@example.com:8000/ HTTP/1.1",
        "GET https://127.0.0.1:8000/ HTTP/1.1",
        "GET / HTTP/1.1",
        "GET http://127.0.0.1:x/ HTTP/1.1",
        "CONNECT example.com:8000 HTTP/1.1",
        "CONNECT 127.0.0.1:443 HTTP/1.1",
        "CONNECT 127.0.0.1 HTTP/1.1",
    ],
)
def test_other_targets_lead_elsewhere(line: str) -> None:
    assert not parse_head(f"{line}\r\n\r\n".encode()).leads_to(8000)


def test_a_tunnel_to_the_platform_is_one() -> None:
    head = parse_head(b"CONNECT localhost:8000 HTTP/1.1\r\n\r\n")
    assert head.is_tunnel
    assert head.leads_to(8000)


@pytest.mark.parametrize("value", [b"Bearer abc", b"Basic", b"Basic !!!", b"Basic /w=="])
def test_other_credentials_are_none(value: bytes) -> None:
    head = parse_head(b"GET / HTTP/1.1\r\nProxy-Authorization: " + value + b"\r\n\r\n")
    assert head.credentials() is None


@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_head_or_refused(data: bytes) -> None:
    try:
        head = parse_head(data)
    except HeadError:
        return
    head.leads_to(1)
    head.credentials()
