"""The current sign-in of the mobile client: password, then the code of the second factor."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.crypto import SecretError
from practice.http.answers import JsonAnswer, RefusedError
from practice.http.caller import bearer_for, caller_of
from practice.private_api.access import wrong_network
from practice.private_api.forms import bloks_params, text_at
from practice.private_api.preflight import ACCESS_CONTEXT
from practice.signing_in import SignIn
from practice.state.platform import PlatformState
from practice.values import Account

_ASYNC = "/api/v1/bloks/async_action/com.bloks.www"
_APPS = "/api/v1/bloks/apps/com.bloks.www"
_FALLBACK_MARKER = "CAA_LOGIN_FALLBACK:legacy"
"""Tells a client to submit the same password again by the older route. The real platform does
that too, and a careful client doesn't follow."""


class SignInRoutes:
    """Password submission and two-step verification."""

    def __init__(self, state: PlatformState, sign_in: SignIn) -> None:
        self._state = state
        self._sign_in = sign_in

    def routes(self) -> list[Route]:
        """The routes of this area."""
        two_step = "two_step_verification"
        table = {
            f"{_ASYNC}.bloks.caa.login.async.send_login_request/": self.submit_password,
            f"{_APPS}.{two_step}.entrypoint/": self.two_step_screen,
            f"{_APPS}.{two_step}.method_picker/": self.two_step_screen,
            f"{_ASYNC}.{two_step}.method_picker.navigation.async/": self.two_step_screen,
            f"{_ASYNC}.{two_step}.verify_code.async/": self.submit_code,
        }
        return [Route(path, handler, methods=["POST"]) for path, handler in table.items()]

    async def submit_password(self, request: Request) -> Response:
        """Judge a password."""
        params = await bloks_params(request)
        context = caller_of(request).context
        try:
            self._state.keys.unseal(ACCESS_CONTEXT, text_at(params, "client_input_params", "aac"))
            password = self._state.keys.decrypt_password(
                text_at(params, "client_input_params", "password")
            )
        except SecretError as error:
            raise RefusedError(400, str(error), error_type="field_exception") from None
        username = text_at(params, "client_input_params", "contact_point")
        verdict = self._sign_in.submit_password(username, password, context)
        match verdict.outcome, verdict.account:
            case "accepted", Account() as account:
                token = self._sign_in.open_session(account, context)
                return JsonAnswer(signed_in_action(account, token))
            case "two_factor_needed", Account() as account:
                return JsonAnswer(self._two_step_needed(account))
            case "wrong_proxy", _:
                raise wrong_network()
            case _:
                return JsonAnswer(_fallback())

    async def two_step_screen(self, request: Request) -> Response:
        """The screens between the password and the code; they only check the context."""
        self._pending_account(await bloks_params(request))
        return JsonAnswer({"status": "ok"})

    async def submit_code(self, request: Request) -> Response:
        """Judge a code and sign in."""
        params = await bloks_params(request)
        context = caller_of(request).context
        account = self._pending_account(params)
        code = text_at(params, "client_input_params", "code")
        if not self._sign_in.submit_code(account, code, context):
            raise wrong_code()
        token = self._sign_in.open_session(account, context)
        return JsonAnswer(signed_in_action(account, token))

    def _pending_account(self, params: dict[str, Any]) -> Account:
        text = text_at(params, "server_params", "two_step_verification_context")
        account = self._sign_in.account_of_two_step_context(text)
        if account is None:
            raise RefusedError(400, "Invalid Parameters", error_type="invalid_parameters")
        return account

    def _two_step_needed(self, account: Account) -> dict[str, Any]:
        payload = {
            "data": [
                {
                    "two_step_verification_context": self._sign_in.issue_two_step_context(account),
                    "totp_two_factor_on": True,
                }
            ]
        }
        return {"layout": {"bloks_payload": payload}, "status": "ok"}


def wrong_code() -> RefusedError:
    """What a client hears after a wrong code."""
    return RefusedError(
        400,
        "Please check the security code and try again.",
        error_type="sms_code_validation_code_invalid",
    )


def signed_in_action(account: Account, token: str) -> dict[str, Any]:
    """The answer to a successful sign-in: a small program that carries the session."""
    embedded = {
        "login_response": orjson.dumps(
            {"logged_in_user": {"pk": str(account.user_id), "username": account.username}}
        ).decode(),
        "headers": orjson.dumps({"IG-Set-Authorization": bearer_for(account, token)}).decode(),
        "cookies": "",
    }
    literal = orjson.dumps(orjson.dumps(embedded).decode()).decode()
    action = f"(bk.action.caa.HandleLoginResponse, {literal})"
    return {"layout": {"bloks_payload": {"action": action}}, "status": "ok"}


def _fallback() -> dict[str, Any]:
    payload = {"data": [{"data": {"key": _FALLBACK_MARKER}}]}
    return {"layout": {"bloks_payload": payload}, "status": "ok"}
