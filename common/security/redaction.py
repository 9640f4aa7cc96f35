"""Takes known secrets out of text before it is written anywhere.

For accidents, not against a hostile program. Works on whole lines: callers cut at line ends, so a
secret is never split over two calls.
"""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "[secret]"
MINIMUM_LENGTH = 6
"""Shorter secrets are not searched for: they would mangle ordinary text."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Redactor:
    """Replaces a set of secrets, in the forms they usually take, by a mask."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: dict[str, frozenset[str]] = {}
        self._pattern: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Search for these as well from now on."""
        new = {secret for secret in secrets if len(secret) >= MINIMUM_LENGTH} - self._forms.keys()
        if new:
            self._forms.update({secret: frozenset(_forms(secret)) for secret in new})
            self._compile()

    def forget(self, secrets: Iterable[str]) -> None:
        """Stop searching for these."""
        for secret in secrets:
            self._forms.pop(secret, None)
        self._compile()

    def clean(self, text: str) -> str:
        """Return `text` with every known secret masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def _compile(self) -> None:
        forms = {form for known in self._forms.values() for form in known}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = (
            re.compile("|".join(re.escape(form) for form in longest_first))
            if longest_first
            else None
        )


def plain_text(text: str) -> str:
    """Return `text` without control, zero-width and direction-changing characters."""
    return _CONTROL.sub("", text)


def _forms(secret: str) -> Iterable[str]:
    raw = secret.encode()
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    # Base64 at each of the three alignments it can have inside a longer text; the first and last
    # characters depend on the neighbours and are left out.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        start = 0 if shift == 0 else shift + 1
        end = len(encoded) if (shift + len(raw)) % 3 == 0 else len(encoded) - 1
        if end - start >= MINIMUM_LENGTH:
            yield encoded[start:end]
            yield encoded[start:end].replace("+", "-").replace("/", "_")
