"""The admin API: seed accounts and proxies, read the ledger, set faults, start over."""

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.http.answers import JsonAnswer, RefusedError, answer_refusal, not_implemented
from practice.http.faults import FaultError, FaultPlan
from practice.http.pipeline import Counters
from practice.state.accounts import AccountError, NewAccount
from practice.state.platform import PlatformState
from practice.totp import SeedError
from practice.values import VISIBILITY_SECONDS, Account, Post, RequestContext

_CONTEXT = RequestContext(request_id="admin", source="admin")
_LEDGER_PAGE = 10_000


class AdminApi:
    """Routes of the admin port."""

    def __init__(self, state: PlatformState, faults: FaultPlan, counters: Counters) -> None:
        self._state = state
        self._faults = faults
        self._counters = counters

    def app(self) -> Starlette:
        """The application; whoever serves it puts the guard in front."""
        table = [
            ("/admin/accounts", "POST", self.create_accounts),
            ("/admin/accounts", "GET", self.list_accounts),
            ("/admin/accounts/{username}/revoke_sessions", "POST", self.revoke_sessions),
            ("/admin/accounts/{username}/posts", "GET", self.list_posts),
            ("/admin/ledger", "GET", self.read_ledger),
            ("/admin/reset", "POST", self.reset),
            ("/admin/faults", "POST", self.add_fault),
            ("/admin/faults", "GET", self.list_faults),
            ("/admin/faults", "DELETE", self.clear_faults),
            ("/admin/proxies", "POST", self.put_proxy),
            ("/admin/health", "GET", self.health),
            ("/admin/metrics", "GET", self.metrics),
        ]
        return Starlette(
            routes=[Route(path, handler, methods=[method]) for path, method, handler in table],
            exception_handlers={RefusedError: answer_refusal, 404: _missing},
        )

    async def create_accounts(self, request: Request) -> Response:
        """Make a list of accounts, all of them or none."""
        wanted = [_new_account(each) for each in await _json_list(request)]
        try:
            self._check_all(wanted)
        except (AccountError, SeedError) as error:
            raise RefusedError(400, str(error)) from None
        created = [self._state.create_account(each, _CONTEXT) for each in wanted]
        listing = [{"username": one.username, "user_id": one.user_id} for one in created]
        return JsonAnswer({"created": listing}, status_code=201)

    async def list_accounts(self, _: Request) -> Response:
        """Every account, without its secrets."""
        return JsonAnswer(
            {
                "accounts": [
                    {
                        "username": account.username,
                        "user_id": account.user_id,
                        "full_name": account.full_name,
                        "two_factor": account.sealed_totp_seed is not None,
                        "require_proxy": account.require_proxy,
                        "sessions": len(self._state.sessions.of_user(account.user_id)),
                        "posts": len(self._state.posts.of_user(account.user_id)),
                    }
                    for account in self._state.accounts.all()
                ]
            }
        )

    async def revoke_sessions(self, request: Request) -> Response:
        """End every session of an account, as the platform does when it distrusts somebody."""
        account = self._account(request)
        sessions = self._state.sessions.of_user(account.user_id)
        for session in sessions:
            self._state.close_session(session, account, "session_revoked", _CONTEXT)
        return JsonAnswer({"revoked": len(sessions)})

    async def list_posts(self, request: Request) -> Response:
        """Every post of an account in truth, oldest first, whether readers see it yet or not."""
        posts = self._state.posts.of_user(self._account(request).user_id)
        return JsonAnswer({"posts": [_post_shape(post) for post in posts]})

    async def read_ledger(self, request: Request) -> Response:
        """Records after a sequence, in order; ``last`` is the newest sequence there is."""
        after = _query_number(request, "after", 0)
        limit = _query_number(request, "limit", _LEDGER_PAGE)
        lines = self._state.ledger.lines_after(after, limit)
        last = self._state.ledger.last_sequence
        body = b'{"last":%d,"records":[%s]}' % (last, b",".join(lines))
        return Response(body, media_type="application/json")

    async def reset(self, _: Request) -> Response:
        """Forget accounts, sessions, proxies, posts, ledger and faults."""
        self._state.reset()
        self._faults.clear()
        return JsonAnswer({"status": "ok"})

    async def add_fault(self, request: Request) -> Response:
        """Set one fault; its kinds and fields are those of ``practice.http.faults``."""
        try:
            fault = self._faults.add(await _json_object(request))
        except FaultError as error:
            raise RefusedError(400, str(error)) from None
        return JsonAnswer(dataclasses.asdict(fault), status_code=201)

    async def list_faults(self, _: Request) -> Response:
        """Faults that haven't been used up."""
        return JsonAnswer({"faults": self._faults.waiting()})

    async def clear_faults(self, _: Request) -> Response:
        """Take back every fault."""
        self._faults.clear()
        return JsonAnswer({"status": "ok"})

    async def put_proxy(self, request: Request) -> Response:
        """Let a user name and password open the proxy under a name."""
        wanted = await _json_object(request)
        fields = [wanted.get(name) for name in ("name", "username", "password")]
        if not all(isinstance(field, str) and field for field in fields):
            raise RefusedError(400, "A proxy needs the texts name, username and password.")
        if ":" in str(wanted["username"]):
            raise RefusedError(400, "A proxy's user name can't hold a colon.")
        login = self._state.proxies.put(*map(str, fields))
        return JsonAnswer({"name": login.name, "username": login.username}, status_code=201)

    async def health(self, _: Request) -> Response:
        """Says that the platform answers, and how late it may be about what it shows."""
        return JsonAnswer({"status": "ok", "visibility_seconds": VISIBILITY_SECONDS})

    async def metrics(self, _: Request) -> Response:
        """Requests served, faults done and still to have their effect, processor seconds used."""
        return JsonAnswer(
            {
                "requests": self._counters.requests,
                "faults": self._counters.faults,
                "late_requests": self._counters.late,
                "cpu_seconds": time.process_time(),
                "ledger_records": self._state.ledger.last_sequence,
                "visibility_seconds": VISIBILITY_SECONDS,
            }
        )

    def _account(self, request: Request) -> Account:
        account = self._state.accounts.by_name(request.path_params["username"])
        if account is None:
            raise RefusedError(404, "There is no such account.")
        return account

    def _check_all(self, wanted: list[NewAccount]) -> None:
        names: set[str] = set()
        for each in wanted:
            each.check()
            if each.username in names or self._state.accounts.by_name(each.username):
                raise AccountError(f"{each.username!r} exists already or is listed twice.")
            names.add(each.username)
            if each.require_proxy and each.require_proxy not in self._state.proxies.names():
                raise AccountError(
                    f"{each.username}: there is no proxy {each.require_proxy!r}; make it first."
                )


def _post_shape(post: Post) -> dict[str, Any]:
    return {
        "post_id": post.media_id,
        "post_code": post.code,
        "caption": post.caption,
        "media_type": post.media_type,
        "product_type": post.product_type,
        "taken_at": post.taken_at,
        "content_sha256": [item.sha256 for item in post.items],
        "source": post.source,
        "listed_at": post.listed_at,
    }


def _new_account(wanted: object) -> NewAccount:
    known = {field.name for field in dataclasses.fields(NewAccount)}
    if not isinstance(wanted, Mapping) or not {"username", "password"} <= wanted.keys() <= known:
        raise RefusedError(
            400, f"An account needs username and password and may have {sorted(known)}."
        )
    values = {name: value for name, value in wanted.items() if value is not None}
    if not all(isinstance(value, str) for value in values.values()):
        raise RefusedError(400, "Every field of an account has to be text.")
    return NewAccount(**values)


async def _json(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise RefusedError(400, "The body isn't JSON.") from None


async def _json_object(request: Request) -> dict[str, Any]:
    value = await _json(request)
    if not isinstance(value, dict):
        raise RefusedError(400, "The body has to be a JSON object.")
    return value


async def _json_list(request: Request) -> list[Any]:
    value = await _json(request)
    if not isinstance(value, list):
        raise RefusedError(400, "The body has to be a JSON list.")
    return value


def _query_number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise RefusedError(400, f"{name} has to be a number.")
    return int(text)


async def _missing(request: Request, _: Exception) -> Response:
    return await not_implemented(request)
