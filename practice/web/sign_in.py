"""The pages of signing in and out."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from practice.http.caller import caller_of
from practice.signing_in import SignIn
from practice.state.platform import PlatformState
from practice.values import Account
from practice.web.guard import forget, refuse_other_sites, remember, viewer_of
from practice.web.rendering import Renderer

WELCOME_COOKIE = "welcome"
"""Says that the dialog after signing in hasn't been shown yet."""
_TWO_STEP_COOKIE = "two_step"
_TWO_STEP_SECONDS = 600

_REFUSALS = {
    "wrong": "That password is not right. Check it and try again.",
    "unknown_account": "No account has that user name. Check it and try again.",
    "wrong_proxy": "This account can only be used through its own proxy.",
}


class SignInPages:
    """Password form, code form, sign-out."""

    def __init__(self, state: PlatformState, sign_in: SignIn, renderer: Renderer) -> None:
        self._state = state
        self._sign_in = sign_in
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """The routes of this area."""
        return [
            Route("/accounts/login/", self.password_form, methods=["GET"]),
            Route("/accounts/login/", self.submit_password, methods=["POST"]),
            Route("/accounts/two_factor/", self.code_form, methods=["GET"]),
            Route("/accounts/two_factor/", self.submit_code, methods=["POST"]),
            Route("/accounts/logout/", self.sign_out, methods=["POST"]),
        ]

    async def password_form(self, request: Request) -> Response:
        """The form, or home for who is signed in."""
        if viewer_of(request).account:
            return RedirectResponse("/", status_code=303)
        return self._password_page()

    async def submit_password(self, request: Request) -> Response:
        """Judge a password."""
        refuse_other_sites(request)
        fields = await _fields(request)
        context = caller_of(request).context
        username = fields.get("username", "")
        verdict = self._sign_in.submit_password(username, fields.get("password", ""), context)
        match verdict.outcome, verdict.account:
            case "accepted", Account() as account:
                return self._admit(account, request)
            case "two_factor_needed", Account() as account:
                answer = RedirectResponse("/accounts/two_factor/", status_code=303)
                proof = self._sign_in.issue_two_step_context(account)
                answer.set_cookie(
                    _TWO_STEP_COOKIE,
                    proof,
                    max_age=_TWO_STEP_SECONDS,
                    httponly=True,
                    samesite="lax",
                )
                return answer
            case outcome, _:
                return self._password_page(_REFUSALS[outcome], username, status=400)

    async def code_form(self, request: Request) -> Response:
        """The form for the code, for who has just given the right password."""
        if self._pending_account(request) is None:
            return RedirectResponse("/accounts/login/", status_code=303)
        return self._renderer.page("two_factor.html", None)

    async def submit_code(self, request: Request) -> Response:
        """Judge a code."""
        refuse_other_sites(request)
        fields = await _fields(request)
        account = self._pending_account(request)
        if account is None:
            return self._password_page("That took too long. Sign in again.", status=400)
        context = caller_of(request).context
        if self._sign_in.submit_code(account, fields.get("code", ""), context):
            answer = self._admit(account, request)
            answer.delete_cookie(_TWO_STEP_COOKIE, httponly=True, samesite="lax")
            return answer
        alert = "That code is not right. Check the security code and try again."
        return self._renderer.page("two_factor.html", None, 400, alert=alert)

    async def sign_out(self, request: Request) -> Response:
        """End the session and go to the sign-in page."""
        refuse_other_sites(request)
        caller = caller_of(request)
        if caller.session and caller.account:
            self._state.close_session(caller.session, caller.account, "signed_out", caller.context)
        answer = RedirectResponse("/accounts/login/", status_code=303)
        forget(answer)
        return answer

    def _admit(self, account: Account, request: Request) -> Response:
        answer = RedirectResponse("/", status_code=303)
        token = self._sign_in.open_session(account, caller_of(request).context)
        remember(answer, token, account.user_id)
        answer.set_cookie(WELCOME_COOKIE, "1", httponly=True, samesite="lax")
        return answer

    def _pending_account(self, request: Request) -> Account | None:
        return self._sign_in.account_of_two_step_context(request.cookies.get(_TWO_STEP_COOKIE, ""))

    def _password_page(
        self, alert: str | None = None, username: str = "", status: int = 200
    ) -> Response:
        return self._renderer.page("sign_in.html", None, status, alert=alert, username=username)


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form, each with its last value."""
    parsed = parse_qs((await request.body()).decode(), keep_blank_values=True)
    return {name: values[-1] for name, values in parsed.items()}
