"""Who takes part in the voyage: 24 practice accounts of one made-up brand, in three tags."""

import base64
import csv
import io
import secrets
from dataclasses import dataclass
from typing import Any

from common.domain.accounts import DriverName

PROXY_NAME = "voyage"
_BRAND = "harbour"
_TOWNS = {
    "north": ("alta", "bodo", "hamnoy", "kiruna", "narvik", "reine", "senja", "tromso"),
    "coast": ("bergen", "cromer", "dunbar", "ebeltoft", "fowey", "grimstad", "howth", "iona"),
    "city": ("aarhus", "bristol", "cork", "dundee", "exeter", "ghent", "leith", "malmo"),
}
_BROWSER_SHARE = 3
_TOTP_SHARE = 3
_BEHIND_PROXY = frozenset({6, 13, 14, 21})
"""One account for each mix of driver and TOTP."""
_TOTP_BYTES = 20


@dataclass(frozen=True, slots=True)
class CastMember:
    """One practice account, with the secrets that the platform and we must both know."""

    username: str
    full_name: str
    tag: str
    password: str
    totp_seed: str
    """Base32; empty without two-factor sign-in."""
    driver: DriverName
    behind_proxy: bool

    def __repr__(self) -> str:
        return f"CastMember({self.username})"


@dataclass(frozen=True, slots=True)
class Cast:
    """All accounts, and the proxy that some of them leave through."""

    members: tuple[CastMember, ...]
    proxy_username: str
    proxy_password: str

    def __repr__(self) -> str:
        return f"Cast({len(self.members)} accounts)"

    def platform_accounts(self) -> list[dict[str, Any]]:
        """Return what the practice platform needs to know them."""
        return [
            {
                "username": member.username,
                "password": member.password,
                "full_name": member.full_name,
                "biography": f"Coffee, coast and craft. {member.full_name}.",
                **({"totp_seed": member.totp_seed} if member.totp_seed else {}),
                **({"require_proxy": PROXY_NAME} if member.behind_proxy else {}),
            }
            for member in self.members
        ]

    def import_text(self, proxy_url: str) -> str:
        """Return the accounts as an operator would import them: CSV with a header line."""
        scheme, _, address = proxy_url.partition("://")
        proxy = f"{scheme}://{self.proxy_username}:{self.proxy_password}@{address}"
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["username", "password", "totp", "full_name", "tags", "proxy", "driver"])
        for member in self.members:
            writer.writerow(
                [
                    member.username,
                    member.password,
                    member.totp_seed,
                    member.full_name,
                    member.tag,
                    proxy if member.behind_proxy else "",
                    member.driver.value,
                ]
            )
        return text.getvalue()


def new_cast() -> Cast:
    """Return 24 accounts with fresh secrets: 8 with TOTP, 8 for the browser, 4 behind a proxy."""
    towns = [(tag, town) for tag, names in _TOWNS.items() for town in names]
    members = tuple(_member(number, tag, town) for number, (tag, town) in enumerate(towns))
    return Cast(members, "voyage", secrets.token_urlsafe(12))


def _member(number: int, tag: str, town: str) -> CastMember:
    has_totp = (number // 2) % _TOTP_SHARE == 0
    return CastMember(
        username=f"{_BRAND}.{town}",
        full_name=f"Harbour & Pine {town.capitalize()}",
        tag=tag,
        password=secrets.token_urlsafe(12),
        totp_seed=base64.b32encode(secrets.token_bytes(_TOTP_BYTES)).decode() if has_totp else "",
        driver=DriverName.BROWSER if number % _BROWSER_SHARE == 0 else DriverName.PRIVATE_API,
        behind_proxy=number in _BEHIND_PROXY,
    )
