"""The one door through which every request of an account leaves.

It is mounted on all sessions of a client, holds the allow-list of hosts, gives every request a
deadline, never sends anything twice, and keeps a record without secrets. In practice it leads to
the practice platform on this machine; otherwise it wraps the library's own transport.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from agent.drivers.answers import json_object, seconds_of
from agent.drivers.hooks import CancelFlag
from agent.drivers.private_api.causes import cut_of
from agent.drivers.private_api.exchange import Cut, Exchange, TransportCutError

REAL_HOSTS = frozenset({"i.instagram.com", "b.i.instagram.com", "www.instagram.com"})
PRACTICE_HOST_HEADER = "X-Practice-Host"
_IDLE_SECONDS = 3.0
"""A connection that has idled longer is not used again."""
_CHUNK = 64 * 1024
_TEXT_KEPT = 8000
"""Characters of an answer that is not a success."""
_PROXY_REFUSED = 407
_TIMED_OUT = 408
_SUCCESS = 200


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a request may take, in seconds."""

    connect: float = 10.0
    answer: float = 30.0
    slowest_upload: float = 64 * 1024
    """Bytes per second below which an upload is given up."""

    def for_answer(self, request: requests.PreparedRequest) -> float:
        """Return how long the answer to `request`, and the sending of its body, may take."""
        size = int(request.headers.get("Content-Length") or 0)
        return self.answer + size / self.slowest_upload


class Route(Protocol):
    """Where requests really go."""

    def aim(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request as it is to be sent; a copy where it differs."""
        ...

    def adapter(self) -> BaseAdapter:
        """Make the transport that sends it."""
        ...


DEADLINES = Deadlines()


class PracticeRoute:
    """To the practice platform: same path, other address."""

    def __init__(self, platform_url: str) -> None:
        self._base = platform_url.rstrip("/")
        self._netloc = urlsplit(self._base).netloc

    def aim(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return a copy that goes to the practice platform and names the host it was made for."""
        aimed = request.copy()
        aimed.url = f"{self._base}{request.path_url}"
        aimed.headers[PRACTICE_HOST_HEADER] = urlsplit(str(request.url)).hostname or ""
        aimed.headers["Host"] = self._netloc
        return aimed

    def adapter(self) -> BaseAdapter:
        """Make a plain transport without retries."""
        return HTTPAdapter(max_retries=0)


class RealRoute:
    """To the platform itself, over the transport that `make_adapter` makes."""

    def __init__(self, make_adapter: Callable[[], BaseAdapter]) -> None:
        self._make_adapter = make_adapter

    def aim(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request as it is."""
        return request

    def adapter(self) -> BaseAdapter:
        """Make the library's transport."""
        return self._make_adapter()


class Wire:
    """One account's traffic, shared by the transports of its sessions: who listens, what was last.

    Used by one thread at a time, like the client itself.
    """

    def __init__(self) -> None:
        self.last: Exchange | None = None
        """The last request since `begin`."""
        self.cut: Cut | None = None
        """Set when a request since `begin` got no answer."""
        self.platform_time: float | None = None
        """The platform's clock by the newest answer of all, seconds since 1970."""
        self.clock_ahead: float | None = None
        """By how many seconds this machine's clock was ahead of it when that came."""
        self.is_deciding = False
        """True for the call that makes something happen: one request, on a new connection."""
        self._cancel: CancelFlag | None = None
        self._log: Callable[[str], None] | None = None

    def begin(
        self, log: Callable[[str], None], cancel: CancelFlag | None, *, decides: bool = False
    ) -> None:
        """Start a call: forget the last one. Without `cancel` nothing can stop it.

        A call that `decides` gets one request out, whatever the library or an answer asks for.
        """
        self.last, self.cut = None, None
        self.is_deciding = decides
        self._log, self._cancel = log, cancel

    def is_cancelled(self) -> bool:
        """Say whether the next request must not leave."""
        return self._cancel is not None and self._cancel.is_set()

    def note(self, exchange: Exchange) -> None:
        """Record one request."""
        self.last = exchange
        self.cut = self.cut or exchange.cut
        if exchange.platform_time:
            self.platform_time = exchange.platform_time
            self.clock_ahead = time.time() - exchange.platform_time
        if self._log:
            self._log(exchange.line())


class GuardedTransport(BaseAdapter):
    """A transport of requests over one route, with allow-list, deadline and record."""

    def __init__(self, route: Route, wire: Wire, deadlines: Deadlines = DEADLINES) -> None:
        super().__init__()
        self._deadlines = deadlines
        self._route = route
        self._wire = wire
        self._inner: BaseAdapter | None = None
        self._idle_since = 0.0

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request, once. Raises TransportCutError where no whole answer came."""
        started = time.monotonic()
        parts = urlsplit(str(request.url))
        asked = Exchange(str(request.method), parts.hostname or "", parts.path)
        try:
            self._admit(asked.host)
            response = self._carry(request, started, verify, proxies)
        except TransportCutError as error:
            seconds = time.monotonic() - started
            self._wire.note(replace(asked, seconds=seconds, cut=error.cut, detail=error.detail))
            if self._wire.is_deciding:
                self.close()  # what is left of the request ends here, not behind our back
            raise
        self._wire.note(_answered(asked, time.monotonic() - started, response))
        if response.status_code == _TIMED_OUT:
            # The library would wait a minute and send the same request again.
            raise TransportCutError(Cut.NO_ANSWER, "the platform gave up waiting (408)")
        return response

    def close(self) -> None:
        """Close the connections."""
        if self._inner:
            self._inner.close()
            self._inner = None

    def _admit(self, host: str) -> None:
        if self._wire.is_cancelled():
            raise TransportCutError(Cut.CANCELLED, "stopped by the operator")
        if self._wire.is_deciding and self._wire.last is not None:
            raise TransportCutError(Cut.NO_ANSWER, "a second request was held back")
        if host not in REAL_HOSTS:
            raise TransportCutError(Cut.FORBIDDEN, f"{host} is not on the list of hosts")

    def _carry(
        self,
        request: requests.PreparedRequest,
        started: float,
        verify: bool | str,
        proxies: Mapping[str, str] | None,
    ) -> requests.Response:
        connect, deadline = self._deadlines.connect, self._deadlines.for_answer(request)
        proxied = bool(proxies)
        try:
            response = self._fresh_inner().send(
                self._route.aim(request),
                stream=True,
                timeout=(connect, deadline),
                verify=verify,
                proxies=proxies,
            )
            _read_whole(response, started + connect + deadline)
        except (requests.RequestException, OSError) as error:
            raise TransportCutError(*cut_of(error, proxied=proxied)) from error
        finally:
            self._idle_since = time.monotonic()
        if response.status_code == _PROXY_REFUSED:
            raise TransportCutError(Cut.PROXY, "the proxy refused the user name or password")
        response.url, response.request = str(request.url), request
        return response

    def _fresh_inner(self) -> BaseAdapter:
        # libcurl sends a request again by itself, a POST too, when a kept connection breaks before
        # the first byte of the answer (lib/transfer.c, Curl_retry_request); on a new one never.
        idle = time.monotonic() - self._idle_since
        if self._wire.is_deciding or idle > _IDLE_SECONDS:
            self.close()
        if self._inner is None:
            self._inner = self._route.adapter()
        return self._inner


def _read_whole(response: requests.Response, deadline: float) -> None:
    """Read the body here, so that a broken or endless one ends here too."""
    pieces = []
    for piece in response.iter_content(_CHUNK):
        pieces.append(piece)
        if time.monotonic() > deadline:
            response.close()
            raise TransportCutError(Cut.NO_ANSWER, "the answer took too long")
    response._content = b"".join(pieces)  # what `requests` itself does after reading a body


def _answered(asked: Exchange, seconds: float, response: requests.Response) -> Exchange:
    answered = replace(
        asked,
        seconds=seconds,
        status=response.status_code,
        platform_time=seconds_of(response.headers.get("Date")),
    )
    if response.status_code == _SUCCESS:
        return answered
    text = response.text[:_TEXT_KEPT]
    return replace(answered, text=text, body=json_object(text))
