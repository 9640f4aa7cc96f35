"""What an account is to both sides: its platform, its drivers and its identity."""

from enum import StrEnum


class Platform(StrEnum):
    """Where an account lives. Fixed at creation: practice sessions never meet a real client."""

    INSTAGRAM = "instagram"
    PRACTICE = "practice"


class DriverName(StrEnum):
    """A way to act on the platform, in the order in which the planner prefers them."""

    OFFICIAL = "official"
    PRIVATE_API = "private_api"
    BROWSER = "browser"


def account_identity(platform: Platform, user_id: str | None, username: str) -> str:
    """Name an account as an agent knows it, across stores.

    The platform's own user id where it is known; the user name until the first sign-in.
    """
    return f"{platform}:{user_id}" if user_id else f"{platform}:@{username.lower()}"
