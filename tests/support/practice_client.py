"""The real instagrapi client, pointed at a practice platform on this machine.

One transport adapter is the only way out: it takes the platform's known hosts to the loopback
address and refuses every other one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from instagrapi import Client
from requests.adapters import HTTPAdapter

KNOWN_HOSTS = frozenset({"i.instagram.com", "b.i.instagram.com", "www.instagram.com"})
TIMEOUT_SECONDS = 20.0


class LoopbackAdapter(HTTPAdapter):
    """Sends requests for known hosts to one loopback address, optionally through a proxy."""

    def __init__(self, base_url: str, proxy_url: str | None = None) -> None:
        super().__init__(max_retries=0)
        self._base = urlsplit(base_url)
        self._proxies = {"http": proxy_url} if proxy_url else {}
        self.sent: list[str] = []
        """Method and path of every request, in order."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        target = urlsplit(str(request.url))
        if target.hostname not in KNOWN_HOSTS:
            raise requests.ConnectionError(f"{target.hostname} is no host of the platform")
        self.sent.append(f"{request.method} {target.path}")
        local = request.copy()
        local.url = urlunsplit(target._replace(scheme="http", netloc=self._base.netloc))
        local.headers["X-Practice-Host"] = target.hostname
        response = super().send(local, timeout=TIMEOUT_SECONDS, proxies=self._proxies)
        response.url, response.request = str(request.url), request
        return response


class PracticeClient(Client):  # type: ignore[misc] # the library ships no types
    """instagrapi as it is, but for the two hooks that choose the transport."""

    def __init__(
        self,
        base_url: str,
        settings: Mapping[str, Any] | None = None,
        proxy_url: str | None = None,
    ) -> None:
        self.loopback = LoopbackAdapter(base_url, proxy_url)
        super().__init__(
            settings=dict(settings or {}),
            request_timeout=0,
            private_transport="requests",
            session_retry_total=0,
            with_challenge_flow=False,
        )
        for session in (self.private, self.public, self.graphql):
            session.trust_env = False
            session.mount("https://", self.loopback)
            session.mount("http://", self.loopback)

    def _configure_private_session_retry(self, private_transport: str | None = None) -> None:
        self.private.mount("https://", self.loopback)
        self.private.mount("http://", self.loopback)

    def _configure_public_session_retry(self) -> None:
        self.public.mount("https://", self.loopback)
        self.public.mount("http://", self.loopback)

    def close(self) -> None:
        """Close every connection."""
        for session in (self.private, self.public, self.graphql):
            session.close()

    def publish_photo(self, path: Path, caption: str) -> dict[str, Any]:
        """Upload and configure without the library's sleeps; the media as the platform says it."""
        upload_id, width, height = self.photo_rupload(path)
        answer = self.photo_configure(upload_id, width, height, caption)
        media: dict[str, Any] = answer["media"]
        return media
