"""Saved sign-in states as text, tagged so that none is ever loaded where it does not belong."""

import json
from typing import Any

from pydantic import SecretStr

from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.errors import ConflictError


def seal_tag(account: AccountAccess, driver: DriverName, state: dict[str, Any]) -> SecretStr:
    """Return `state` as session text that names its platform and driver."""
    tagged = {"driver": driver.value, "platform": account.platform.value, **state}
    return SecretStr(json.dumps(tagged, separators=(",", ":")))


def open_session(account: AccountAccess, driver: DriverName) -> dict[str, Any] | None:
    """Return the account's saved state for `driver`, or None where it has none.

    Raises ConflictError for a session of the other platform: practice sessions and real ones never
    meet. A session of another driver is of no use here, and counts as none.
    """
    if account.session is None:
        return None
    state = _parse(account.session)
    if state.get("platform") != account.platform.value:
        raise ConflictError(
            f"The saved session of {account.username} belongs to another platform and was not "
            "loaded.",
            advice="Run a bulk login for this account.",
            subject=account.username,
        )
    return state if state.get("driver") == driver.value else None


def _parse(session: SecretStr) -> dict[str, Any]:
    try:
        state = json.loads(session.get_secret_value())
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}
