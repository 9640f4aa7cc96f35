"""Gives some accounts of a runner the client as the real platform gets it, transport included.

Which accounts, and the proxy that takes them to the practice platform, stand in a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.access import AccountAccess
from tests.campaign.inside.wrapping import wrap

FILE = "disguise.json"


def write(room: Path, *, usernames: list[str], proxies: Mapping[str, str], ca_file: Path) -> None:
    """Say which accounts are disguised, and the proxy for each address of the platform."""
    told = {"usernames": usernames, "proxies": dict(proxies), "ca_file": str(ca_file)}
    (room / FILE).write_text(json.dumps(told))


def install(room: Path) -> None:
    """Put the real client in the place of the practice one, for those accounts."""
    if not (room / FILE).exists():
        return
    told = json.loads((room / FILE).read_text())
    from instagrapi.transports import create_curl_h2_adapter

    from agent.drivers.private_api import client, host
    from agent.drivers.private_api.transport import RealRoute

    usernames = frozenset(told["usernames"])
    practice_routes, shipped = client._routes, client.AccountClient

    def routes(account: AccountAccess) -> Any:
        if account.username not in usernames:
            return practice_routes(account)
        return RealRoute(create_curl_h2_adapter), RealRoute(client._plain_adapter)

    class DisguisedClient(shipped):  # type: ignore[misc,valid-type]
        """The shipped client; where it goes by the proxy, it trusts the throw-away authority."""

        def __init__(self, account: AccountAccess, *given: Any) -> None:
            super().__init__(account, *given)
            if account.username in usernames:
                self.set_proxy(told["proxies"][account.platform_url])
                for session in (self.private, self.public, self.graphql):
                    session.verify = told["ca_file"]

    wrap(client, "_routes", lambda _: routes)
    wrap(host, "AccountClient", lambda _: DisguisedClient)
