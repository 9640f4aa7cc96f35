"""Which exception the library makes of an answer, and what we make of it."""

import json
from collections.abc import Callable

from agent.drivers.private_api.client import AccountClient
from agent.drivers.private_api.errors import Stake, classify
from common.access import AccountAccess
from common.domain.accounts import DriverName, Platform
from tests.support.scripted_server import answer, scripted

ANSWERS: tuple[tuple[str, object], ...] = (
    ("400 Bad Request", {"message": "challenge_required", "challenge": {"url": "/challenge/1/"}}),
    ("400 Bad Request", {"message": "challenge_required", "challenge": {"url": "/suspended/"}}),
    ("404 Not Found", "Not Found"),
    ("400 Bad Request", {"message": "checkpoint_required"}),
    ("400 Bad Request", {"message": "login_required"}),
    ("403 Forbidden", {"message": "login_required"}),
    ("403 Forbidden", {"message": "something else"}),
    ("401 Unauthorized", {"message": "something else"}),
    ("400 Bad Request", {"message": "Please wait a few minutes before you try again."}),
    ("429 Too Many Requests", {"message": "Please wait a few minutes before you try again."}),
    ("429 Too Many Requests", {"message": "slow down"}),
    ("400 Bad Request", {"message": "no", "error_type": "rate_limit_error"}),
    ("400 Bad Request", {"message": "feedback_required", "feedback_message": "Try again later"}),
    ("400 Bad Request", {"message": "no", "error_type": "sentry_block"}),
    ("400 Bad Request", {"message": "no", "error_type": "bad_password"}),
    ("400 Bad Request", {"message": "no", "error_type": "needs_upgrade"}),
    ("400 Bad Request", {"message": "", "error_type": "two_factor_required"}),
    ("400 Bad Request", {"two_factor_info": {"two_factor_identifier": "x"}}),
    ("400 Bad Request", {"message": "Please check the security code and try again."}),
    ("400 Bad Request", {"message": "The username you entered doesn't appear to belong to one."}),
    ("400 Bad Request", {"message": "Media is unavailable"}),
    ("400 Bad Request", {"message": "media_needs_reupload"}),
    ("400 Bad Request", "no JSON"),
    ("404 Not Found", {"message": "not there"}),
    ("408 Request Timeout", {}),
    ("500 Internal Server Error", {"message": "oops"}),
    ("502 Bad Gateway", "no JSON"),
    ("200 OK", {"status": "fail", "message": "no"}),
    ("200 OK", {"status": "ok", "error_title": "bad image", "message": "media_needs_reupload"}),
    ("202 Accepted", {"status": "fail", "message": "Transcode not finished yet."}),
    ("200 OK", "<html>a page</html>"),
    ("200 OK", ""),
)


def row(status: str, body: object) -> str:
    """One line: what was answered, the library's exception, and ours by what is at stake."""
    text = body if isinstance(body, str) else json.dumps(body)
    with scripted(answer(status, text)) as server:
        account = AccountAccess(
            account_id="id",
            platform=Platform.PRACTICE,
            platform_url=server.url,
            username="somebody",
            driver=DriverName.PRIVATE_API,
        )
        client = AccountClient(account)
        client.wire.begin(lambda _: None, None)
        try:
            client.private_request("media/configure/", {"upload_id": "1"})
        except Exception as error:  # noqa: BLE001  # which one it is, is the question
            caught = error
        finally:
            client.close()
    wire = client.wire
    ours = [
        f"{stake}={classify('somebody', stake, caught, wire.last, wire.cut).code}"
        for stake in Stake
    ]
    return f"{status} {text}\n    {type(caught).__name__}: {' '.join(ours)}\n"


def test_the_table_of_refusals(approved: Callable[[str, str], None]) -> None:
    approved("refusals", "".join(row(status, body) for status, body in ANSWERS))
