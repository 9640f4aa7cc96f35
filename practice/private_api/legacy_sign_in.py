"""The older sign-in route, to which a client may fall back."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from practice.crypto import SecretError
from practice.http.answers import JsonAnswer, RefusedError
from practice.http.caller import SESSION_COOKIE, bearer_for, caller_of
from practice.private_api.access import wrong_network
from practice.private_api.forms import signed_json, text_at
from practice.private_api.shapes import Shapes
from practice.private_api.sign_in import wrong_code
from practice.signing_in import SignIn
from practice.state.platform import PlatformState
from practice.values import Account, RequestContext


class LegacySignInRoutes:
    """``accounts/login`` and its second step."""

    def __init__(self, state: PlatformState, sign_in: SignIn, shapes: Shapes) -> None:
        self._state = state
        self._sign_in = sign_in
        self._shapes = shapes

    def routes(self) -> list[Route]:
        """The routes of this area."""
        return [
            Route("/api/v1/accounts/login/", self.submit_password, methods=["POST"]),
            Route("/api/v1/accounts/two_factor_login/", self.submit_code, methods=["POST"]),
        ]

    async def submit_password(self, request: Request) -> Response:
        """Judge a password."""
        data = await signed_json(request)
        context = caller_of(request).context
        try:
            password = self._state.keys.decrypt_password(text_at(data, "enc_password"))
        except SecretError as error:
            raise RefusedError(400, str(error), error_type="field_exception") from None
        verdict = self._sign_in.submit_password(text_at(data, "username"), password, context)
        match verdict.outcome, verdict.account:
            case "accepted", Account() as account:
                return self._admit(account, context)
            case "two_factor_needed", Account() as account:
                identifier = self._sign_in.issue_two_step_context(account)
                info = {"two_factor_identifier": identifier, "totp_two_factor_on": True}
                raise RefusedError(400, "", error_type="two_factor_required", two_factor_info=info)
            case "wrong_proxy", _:
                raise wrong_network()
            case "unknown_account", _:
                raise RefusedError(
                    400,
                    "The username you entered doesn't appear to belong to an account. "
                    "Please check your username and try again.",
                    error_type="invalid_user",
                )
            case _:
                raise RefusedError(
                    400, "The password you entered is incorrect.", error_type="bad_password"
                )

    async def submit_code(self, request: Request) -> Response:
        """Judge a code and sign in."""
        data = await signed_json(request)
        context = caller_of(request).context
        identifier = text_at(data, "two_factor_identifier")
        account = self._sign_in.account_of_two_step_context(identifier)
        if account is None:
            raise RefusedError(400, "Invalid Parameters", error_type="invalid_parameters")
        if not self._sign_in.submit_code(account, text_at(data, "verification_code"), context):
            raise wrong_code()
        return self._admit(account, context)

    def _admit(self, account: Account, context: RequestContext) -> Response:
        """Sign in. The session goes into cookies too: uploads by this route's clients need it."""
        token = self._sign_in.open_session(account, context)
        answer = JsonAnswer(
            {"logged_in_user": self._shapes.account(account), "status": "ok"},
            headers={"ig-set-authorization": bearer_for(account, token)},
        )
        answer.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="lax")
        answer.set_cookie("ds_user_id", str(account.user_id), samesite="lax")
        return answer
