"""The practice platform's admin API, as far as the voyage needs it: to seed, and to judge."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from common.errors import FlotillaError
from desktop_app.demo.cast import PROXY_NAME, Cast

_SECONDS = 10.0


class PracticeAdmin:
    """A client of the admin API. Use it as an asynchronous context manager."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        """`ready` is what the platform's ready file says."""
        self.url: str = ready["url"]
        self.proxy_url: str = ready["proxy_url"]
        self._http = httpx.AsyncClient(
            base_url=ready["admin_url"],
            headers={"Authorization": f"Bearer {ready['admin_token']}"},
            timeout=_SECONDS,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def seed(self, cast: Cast) -> None:
        """Create the proxy and the accounts."""
        proxy = {
            "name": PROXY_NAME,
            "username": cast.proxy_username,
            "password": cast.proxy_password,
        }
        await self._post("/admin/proxies", proxy)
        await self._post("/admin/accounts", cast.platform_accounts())

    async def published(self) -> list[dict[str, Any]]:
        """Return every record of a published post in the platform's own ledger."""
        records: list[dict[str, Any]] = []
        after = 0
        while True:
            page = (await self._ask("GET", "/admin/ledger", params={"after": after})).json()
            records += page["records"]
            after = records[-1]["sequence"] if records else page["last"]
            if after >= page["last"]:
                return [record for record in records if record["kind"] == "published"]

    async def _post(self, path: str, body: Any) -> None:
        await self._ask("POST", path, json=body)

    async def _ask(self, verb: str, path: str, **more: Any) -> httpx.Response:
        try:
            return (await self._http.request(verb, path, **more)).raise_for_status()
        except httpx.HTTPError as problem:
            raise FlotillaError(
                f"The practice platform did not do {verb} {path}: {type(problem).__name__}.",
                subject=path,
                advice="Look at its output in the demo's folder, then start the demo again.",
            ) from problem
