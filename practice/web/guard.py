"""The door of the web pages: sessions in cookies, and no requests sent by other sites."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from practice.http.answers import RefusedError
from practice.http.caller import SESSION_COOKIE, Caller, caller_of
from practice.signing_in import proxy_suits

USER_ID_COOKIE = "ds_user_id"
_YEAR = 365 * 24 * 3600


def viewer_of(request: Request) -> Caller:
    """The caller; as a stranger when the account must come through another proxy."""
    caller = caller_of(request)
    if caller.account is None or proxy_suits(caller.account, caller.context):
        return caller
    return Caller(caller.context)


def refuse_other_sites(request: Request) -> None:
    """Refuse a form that another site's page sent.

    Raises:
        RefusedError: 403 when the Origin header names another host than the request's own.
    """
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise RefusedError(403, "This form was sent by another site.")


def remember(answer: Response, token: str, user_id: int) -> None:
    """Put the session into the browser, and whose it is, as the real platform does."""
    answer.set_cookie(SESSION_COOKIE, token, max_age=_YEAR, httponly=True, samesite="lax")
    answer.set_cookie(USER_ID_COOKIE, str(user_id), max_age=_YEAR, samesite="lax")


def forget(answer: Response) -> None:
    """Take the session out of the browser."""
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    answer.delete_cookie(USER_ID_COOKIE, samesite="lax")
