"""The door of the private API: which requests may go on, and as whom."""

from starlette.requests import Request

from practice.http.answers import RefusedError
from practice.http.caller import caller_of
from practice.signing_in import proxy_suits
from practice.values import Account, RequestContext, Session


def signed_in(request: Request) -> tuple[Account, Session, RequestContext]:
    """Account, session and context of a request that carries an open session.

    Raises:
        RefusedError: 403 without a session, 400 when the account must come through another proxy.
    """
    caller = caller_of(request)
    if caller.account is None or caller.session is None:
        raise RefusedError(403, "login_required")
    if not proxy_suits(caller.account, caller.context):
        raise wrong_network()
    return caller.account, caller.session, caller.context


def wrong_network() -> RefusedError:
    """What a client hears that comes from an address the account doesn't know."""
    return RefusedError(
        400, "This network can't be used with this account.", error_type="sentry_block"
    )
