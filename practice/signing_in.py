"""Signing in: the one place where passwords and codes are judged, for both doors."""

import hmac
import time
from dataclasses import dataclass
from typing import Literal

import orjson

from practice.crypto import SecretError
from practice.state.platform import PlatformState
from practice.totp import accepts
from practice.values import Account, RequestContext

Outcome = Literal["accepted", "two_factor_needed", "wrong", "unknown_account", "wrong_proxy"]

_CONTEXT_PURPOSE = "two-step verification context"
_CONTEXT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a submitted password was judged. ``account`` is None for an unknown name."""

    outcome: Outcome
    account: Account | None = None


class SignIn:
    """Judges credentials and opens sessions. Every submission leaves a ledger record."""

    def __init__(self, state: PlatformState) -> None:
        self._state = state

    def submit_password(self, username: str, password: str, context: RequestContext) -> Verdict:
        """Judge one password submission."""
        account = self._state.accounts.by_name(username)
        if account is None:
            reason = "unknown_account"
            self._state.record_stranger("password_submitted", username, context, reason)
            self._state.record_stranger("sign_in_refused", username, context, reason)
            return Verdict("unknown_account")
        outcome = self._judge(account, password, context)
        self._state.record("password_submitted", account, context, reason=outcome)
        if outcome in ("wrong", "wrong_proxy"):
            self._state.record("sign_in_refused", account, context, reason=outcome)
        return Verdict(outcome, account)

    def submit_code(self, account: Account, code: str, context: RequestContext) -> bool:
        """Judge one code of the account's second factor."""
        seed = self._state.accounts.totp_seed_of(account)
        if seed is not None and accepts(seed, code) and proxy_suits(account, context):
            return True
        self._state.record("sign_in_refused", account, context, reason="wrong_code")
        return False

    def open_session(self, account: Account, context: RequestContext) -> str:
        """Sign the account in and return the session's token."""
        token = self._state.sessions.open(account.user_id, context.source)
        self._state.record("signed_in", account, context)
        return token

    def issue_two_step_context(self, account: Account) -> str:
        """A text that proves, for ten minutes, that the password was right."""
        claim = orjson.dumps({"user_id": account.user_id, "until": time.time() + _CONTEXT_SECONDS})
        return self._state.keys.seal(_CONTEXT_PURPOSE, claim.decode())

    def account_of_two_step_context(self, text: str) -> Account | None:
        """The account whose password was right, or None when the proof is false or too old."""
        try:
            claim = orjson.loads(self._state.keys.unseal(_CONTEXT_PURPOSE, text))
        except SecretError:
            return None
        if claim["until"] < time.time():
            return None
        return self._state.accounts.by_id(claim["user_id"])

    def _judge(self, account: Account, password: str, context: RequestContext) -> Outcome:
        if not proxy_suits(account, context):
            return "wrong_proxy"
        expected = self._state.accounts.password_of(account)
        if not hmac.compare_digest(expected.encode(), password.encode()):
            return "wrong"
        return "two_factor_needed" if account.sealed_totp_seed else "accepted"


def proxy_suits(account: Account, context: RequestContext) -> bool:
    """Whether the account may be served over the way this request came."""
    return account.require_proxy is None or account.require_proxy == context.proxy
