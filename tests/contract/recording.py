"""Writes down what the real client sends: method, host, path, and how uploads are described."""

import json
import re
from typing import Any

import requests
from requests.adapters import BaseAdapter

from agent.drivers.private_api.client import AccountClient

_UPLOAD_PARAMS = "X-Instagram-Rupload-Params"
_NORMALISED = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "{uuid}"),
    (re.compile(r"[0-9a-f]{32}-0-\d+-\d+-\d+"), "{upload}"),
    (re.compile(r"\d+_0_\d+"), "{upload}"),
    (re.compile(r"\d{6,}"), "{number}"),
)


class Recording(BaseAdapter):
    """Stands before the client's transport and remembers every request."""

    def __init__(self, inner: BaseAdapter, lines: list[str]) -> None:
        super().__init__()
        self._inner = inner
        self._lines = lines

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        self._lines.append(_line(request))
        self._lines.extend(_upload_lines(request))
        return self._inner.send(request, *args, **kwargs)

    def close(self) -> None:
        self._inner.close()


def record(client: AccountClient) -> list[str]:
    """Record what `client` sends from now on."""
    lines: list[str] = []
    for session in (client.private, client.public, client.graphql):
        recording = Recording(session.get_adapter("https://i.instagram.com"), lines)
        session.mount("https://", recording)
        session.mount("http://", recording)
    return lines


def _line(request: requests.PreparedRequest) -> str:
    _, _, rest = str(request.url).partition("://")
    for pattern, name in _NORMALISED:
        rest = pattern.sub(name, rest)
    return f"{request.method} {rest}"


def _upload_lines(request: requests.PreparedRequest) -> list[str]:
    params = request.headers.get(_UPLOAD_PARAMS)
    if params is None:
        return []
    text = params.decode() if isinstance(params, bytes) else params
    headers = sorted(
        name for name in request.headers if name.lower().startswith(("x-e", "x_fb", "seg"))
    )
    return [
        f"    params: {' '.join(sorted(json.loads(text)))}",
        f"    headers: {' '.join(headers)}",
    ]
