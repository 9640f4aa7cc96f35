"""Why a request got no answer, told from the exceptions of requests, urllib3 and curl. Pure.

In doubt the answer is `NO_ANSWER`: it may have arrived.
"""

from collections.abc import Iterator

import requests
import urllib3.exceptions as u3

from agent.drivers.private_api.exchange import Cut

_CURL_PROXY = {5: "the proxy's name cannot be resolved", 97: "the proxy refused"}
_CURL_NOT_SENT = {
    6: "the name cannot be resolved",
    35: "the TLS handshake failed",
    60: "the certificate is not trusted",
}
_CURL_CONNECT = 7
_CURL_TUNNEL = "CONNECT tunnel failed"
# urllib3 names a ProxyError after the request was written, too: http.client closes the connection
# when the answer fails, and urllib3 then takes it for one that never reached the proxy. So the name
# alone proves nothing, and only these words do (http.client, HTTPConnection._tunnel).
_TUNNEL = "Tunnel connection failed"
_HANDSHAKE = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "handshake")


def cut_of(error: Exception, *, proxied: bool) -> tuple[Cut, str]:
    """Say what kind of cut `error` is, with a reason that names no address."""
    for cause in _chain(error):
        found = _cut_of_one(cause, proxied)
        if found:
            return found
    way = "the connection through the proxy" if proxied else "the connection"
    return Cut.NO_ANSWER, f"{way} was cut"


def _cut_of_one(cause: BaseException, proxied: bool) -> tuple[Cut, str] | None:
    code = getattr(cause, "code", None)
    if isinstance(code, int) and type(cause).__module__.startswith("curl_cffi"):
        return _cut_of_curl(int(code), str(cause), proxied)
    if isinstance(cause, u3.ProxyError) and _TUNNEL in str(cause.original_error):
        return Cut.PROXY, "the proxy refused the tunnel"
    if isinstance(cause, u3.NameResolutionError) and not proxied:
        return Cut.NOT_SENT, "the name cannot be resolved"
    if isinstance(cause, (u3.NewConnectionError, u3.ConnectTimeoutError)):
        return _connect_failed(proxied)
    if isinstance(cause, u3.SSLError) and any(mark in str(cause) for mark in _HANDSHAKE):
        return Cut.NOT_SENT, "the TLS handshake failed"
    if isinstance(cause, (u3.ReadTimeoutError, requests.ReadTimeout)):
        return Cut.NO_ANSWER, "no answer in time"
    if isinstance(cause, u3.IncompleteRead):
        return Cut.NO_ANSWER, "the answer broke off"
    return None


def _cut_of_curl(code: int, text: str, proxied: bool) -> tuple[Cut, str]:
    if code in _CURL_PROXY:
        return Cut.PROXY, _CURL_PROXY[code]
    if code == _CURL_CONNECT:
        return _connect_failed(proxied)
    if code in _CURL_NOT_SENT:
        return Cut.NOT_SENT, _CURL_NOT_SENT[code]
    if _CURL_TUNNEL in text:
        return Cut.PROXY, "the proxy refused the tunnel"
    return Cut.NO_ANSWER, f"the connection was cut (curl {code})"


def _connect_failed(proxied: bool) -> tuple[Cut, str]:
    if proxied:
        return Cut.PROXY, "the proxy does not answer"
    return Cut.NOT_SENT, "nothing answers there"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the innermost reasons first: `error`, its arguments' reasons and its causes."""
    seen: list[BaseException] = []
    pending: list[object] = [error]
    while pending:
        one = pending.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            pending += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    yield from reversed(seen)
