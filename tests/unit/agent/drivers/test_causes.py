"""Why a request got no answer, told from the exceptions of three libraries."""

import pytest
import requests
import urllib3.exceptions as u3
from curl_cffi.const import CurlECode
from curl_cffi.requests import exceptions as curl

from agent.drivers.private_api.causes import cut_of
from agent.drivers.private_api.exchange import Cut


def wrapped(reason: Exception) -> requests.ConnectionError:
    """As `requests` hands on what urllib3 says."""
    pool = u3.MaxRetryError(None, "/", reason)  # type: ignore[arg-type]
    return requests.ConnectionError(pool)


def of_curl(code: int, text: str = "") -> requests.ConnectionError:
    """As the library's own transport hands on what curl says."""
    error = requests.ConnectionError("curl private transport failed")
    error.__cause__ = curl.RequestException(text, CurlECode(code))
    return error


@pytest.mark.parametrize(
    ("error", "proxied", "expected"),
    [
        (wrapped(u3.NewConnectionError(None, "refused")), False, Cut.NOT_SENT),  # type: ignore[arg-type]
        (wrapped(u3.NewConnectionError(None, "refused")), True, Cut.PROXY),  # type: ignore[arg-type]
        (wrapped(u3.ConnectTimeoutError()), False, Cut.NOT_SENT),
        (wrapped(u3.ProxyError("no", OSError("Tunnel connection failed: 407"))), True, Cut.PROXY),
        (wrapped(u3.ProxyError("no", u3.NewConnectionError(None, "no"))), True, Cut.PROXY),  # type: ignore[arg-type]
        (wrapped(u3.ProxyError("no", ConnectionResetError())), True, Cut.NO_ANSWER),
        (wrapped(u3.SSLError("CERTIFICATE_VERIFY_FAILED")), False, Cut.NOT_SENT),
        (wrapped(u3.SSLError("EOF in the middle")), False, Cut.NO_ANSWER),
        (wrapped(u3.ProtocolError("aborted", ConnectionResetError())), False, Cut.NO_ANSWER),
        (requests.ReadTimeout(), False, Cut.NO_ANSWER),
        (requests.ConnectionError("who knows"), False, Cut.NO_ANSWER),
        (of_curl(5), True, Cut.PROXY),
        (of_curl(6), False, Cut.NOT_SENT),
        (of_curl(7), False, Cut.NOT_SENT),
        (of_curl(7), True, Cut.PROXY),
        (of_curl(28), False, Cut.NO_ANSWER),
        (of_curl(35), False, Cut.NOT_SENT),
        (of_curl(52), False, Cut.NO_ANSWER),
        (of_curl(56, "CONNECT tunnel failed, response 407"), True, Cut.PROXY),
        (of_curl(56, "Recv failure"), True, Cut.NO_ANSWER),
        (of_curl(60), False, Cut.NOT_SENT),
        (of_curl(97), True, Cut.PROXY),
    ],
)
def test_a_cut_is_provable_only_where_the_library_says_so(
    error: Exception, proxied: bool, expected: Cut
) -> None:
    found, detail = cut_of(error, proxied=proxied)
    assert found is expected
    assert detail
