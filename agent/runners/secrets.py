"""The secrets that this process holds, so that neither items' logs nor its own show them."""

import json
from collections.abc import Iterator
from typing import Any

from common.access import AccountAccess
from common.security.redaction import Redactor

_WORTH_HIDING = 12
"""Texts inside a session shorter than this are settings, not secrets."""
_SECRET_KEYS = frozenset({"sessionid", "csrftoken", "private_key", "value", "authorization"})


class SecretBook:
    """One redactor per account, and one over all of them for the process's own log."""

    def __init__(self) -> None:
        self._books: dict[str, tuple[tuple[str, ...], Redactor]] = {}
        self.process: Redactor = _Everyone(self._books)

    def redactor_for(self, account: AccountAccess) -> Redactor:
        """Return the redactor of an account; it is made anew only when its secrets change."""
        secrets = tuple(secret_texts(account))
        known = self._books.get(account.account_id)
        if known and known[0] == secrets:
            return known[1]
        redactor = Redactor(secrets)
        self._books[account.account_id] = (secrets, redactor)
        return redactor


class _Everyone(Redactor):
    """Cleans by every account's redactor in turn: the process's own log is short and rare."""

    def __init__(self, books: dict[str, tuple[tuple[str, ...], Redactor]]) -> None:
        super().__init__()
        self._books = books

    def clean(self, text: str) -> str:
        """Return `text` with every known secret masked."""
        for _, redactor in list(self._books.values()):
            text = redactor.clean(text)
        return text


def secret_texts(account: AccountAccess) -> Iterator[str]:
    """Yield every text that must not be written anywhere."""
    for secret in (account.password, account.totp_seed):
        if secret:
            yield secret.get_secret_value()
    if account.proxy and account.proxy.password:
        yield account.proxy.password.get_secret_value()
    if account.session:
        yield from session_secrets(account.session.get_secret_value())


def session_secrets(session: str) -> Iterator[str]:
    """Yield the secrets inside a saved session: its tokens, not its whole text."""
    try:
        state = json.loads(session)
    except ValueError:
        yield session
        return
    yield from _walk(state, key="")


def _walk(value: Any, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, str(name).lower())
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key)
    elif isinstance(value, str) and len(value) >= _WORTH_HIDING and _is_secret(key):
        yield value


def _is_secret(key: str) -> bool:
    return key in _SECRET_KEYS or "token" in key or "key" in key or "secret" in key
