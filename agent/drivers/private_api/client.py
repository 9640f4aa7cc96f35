"""The library's client, held to our rules. Nothing here decides what is done with it.

The rules: every session leaves by our transport, whatever settings are loaded; the password is
submitted at most once per sign-in; no challenge is answered; nobody is asked at a console; no
waiting, repeating or falling back below us. `tests/contract` pins the hooks that this relies on.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from instagrapi import Client
from instagrapi.exceptions import ChallengeRequired
from instagrapi.transports import create_curl_h2_adapter
from requests.adapters import BaseAdapter, HTTPAdapter

from agent.drivers.confinement import require_confined
from agent.drivers.private_api.transport import (
    GuardedTransport,
    PracticeRoute,
    RealRoute,
    Route,
    Wire,
)
from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import Platform
from common.operations import MediaFile

_OURS_NOT_THE_SESSIONS = frozenset(
    {
        "private_transport",
        "public_transport",
        "public_transport_impersonate",
        "public_request_retries_count",
        "public_request_retries_timeout",
        "request_timeout",
        "session_retry_backoff_factor",
        "session_retry_statuses",
        "session_retry_total",
        "tls_verify",
    }
)
"""Settings about transport: never taken from a saved session."""


class OlderSignInOfferedError(Exception):
    """The platform sends the sign-in to its older form, which would submit the password again."""


class PasswordAlreadySubmittedError(Exception):
    """A second submission of the password was about to happen."""


class AccountClient(Client):  # type: ignore[misc]  # the library ships no types
    """One account's client. Not safe for several threads at once."""

    with_challenge_flow = False
    handle_exception = None

    def __init__(self, account: AccountAccess, settings: dict[str, Any] | None = None) -> None:
        """Make the client of `account`; raises InputError where the account is not confined."""
        require_confined(account)
        self.wire = Wire()
        self._routes = _routes(account)
        self._one_time_code: Callable[[], str] | None = None
        self._password_submitted = False
        self._covered: str | None = None
        kept = {k: v for k, v in (settings or {}).items() if k not in _OURS_NOT_THE_SESSIONS}
        super().__init__(
            settings=kept,
            proxy=_proxy_url(account.proxy),
            with_challenge_flow=False,
            private_transport="requests",
            request_timeout=0,
            session_retry_total=0,
            public_request_retries_count=1,
            public_request_retries_timeout=0,
        )
        self._mount(self.graphql, self._routes[1])
        for session in (self.private, self.public, self.graphql):
            session.trust_env = False

    def sign_in(self, username: str, password: str, code: Callable[[], str] | None) -> None:
        """Sign in, submitting the password once. `code` makes the current one-time password."""
        self._one_time_code = code
        self._password_submitted = False
        self.relogin_attempt = 0
        self.login(
            username,
            password,
            relogin=bool(self.user_id),
            verification_code=code() if code else "",
        )

    def configure_reel(self, file: MediaFile, upload_id: str, caption: str) -> dict[str, Any]:
        """Publish an uploaded video, whose cover was uploaded too, by one request."""
        self._covered = upload_id
        try:
            answer: dict[str, Any] = self.clip_configure(
                upload_id, file.cover, file.width, file.height, file.duration, caption
            )
        finally:
            self._covered = None
        return answer

    def settings_to_keep(self) -> dict[str, Any]:
        """Return the settings of a session, without what belongs to transport."""
        settings: dict[str, Any] = self.get_settings()
        return {k: v for k, v in settings.items() if k not in _OURS_NOT_THE_SESSIONS}

    def close(self) -> None:
        """Close every connection."""
        for session in (self.private, self.public, self.graphql):
            session.close()

    # What follows has the library's names and replaces what it does by itself.

    def _configure_private_session_retry(self, private_transport: str | None = None) -> None:
        self._mount(self.private, self._routes[0])

    def _configure_public_session_retry(self) -> None:
        self._mount(self.public, self._routes[1])

    def bloks_caa_login_send_request(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Submit the password, unless that was done already."""
        if self._password_submitted:
            raise PasswordAlreadySubmittedError
        self._password_submitted = True
        answer: dict[str, Any] = super().bloks_caa_login_send_request(*args, **kwargs)
        return answer

    def bloks_two_step_verification_verify_code(
        self, context: str, code: str, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Submit a one-time password made now: the screens before it may have taken a while."""
        fresh = self._one_time_code() if self._one_time_code else code
        answer: dict[str, Any] = super().bloks_two_step_verification_verify_code(
            context, fresh, *args, **kwargs
        )
        return answer

    def photo_rupload(self, path: Path, upload_id: str = "", **kwargs: Any) -> Any:
        """Upload a photo, unless it is the cover that lies at the platform already."""
        if upload_id and upload_id == self._covered:
            return upload_id, 0, 0
        return super().photo_rupload(path, upload_id, **kwargs)

    def login_legacy(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse: it would submit the password a second time."""
        raise OlderSignInOfferedError

    def challenge_code_handler(self, *_args: Any) -> NoReturn:
        """Leave the challenge to a person."""
        raise ChallengeRequired("The platform asks for a code.")

    def change_password_handler(self, *_args: Any) -> NoReturn:
        """Leave the challenge to a person."""
        raise ChallengeRequired("The platform asks for a new password.")

    def _mount(self, session: Any, route: Route) -> None:
        ours = [one for one in session.adapters.values() if isinstance(one, GuardedTransport)]
        guarded = ours[0] if ours else GuardedTransport(route, self.wire)
        session.adapters.clear()
        session.mount("https://", guarded)
        session.mount("http://", guarded)


def _routes(account: AccountAccess) -> tuple[Route, Route]:
    """Return the routes of the private session and of the public ones."""
    if account.platform is Platform.PRACTICE:
        return PracticeRoute(account.platform_url), PracticeRoute(account.platform_url)
    return RealRoute(create_curl_h2_adapter), RealRoute(_plain_adapter)


def _plain_adapter() -> BaseAdapter:
    return HTTPAdapter(max_retries=0)


def _proxy_url(proxy: ProxyAccess | None) -> str | None:
    """Return the proxy as one URL with its credentials."""
    if proxy is None:
        return None
    if not proxy.username:
        return proxy.url
    secret = proxy.password.get_secret_value() if proxy.password else ""
    parts = urlsplit(proxy.url)
    user = f"{quote(proxy.username, safe='')}:{quote(secret, safe='')}"
    return f"{parts.scheme}://{user}@{parts.netloc}"
