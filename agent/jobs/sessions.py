"""Saved sign-in states in the journal, sealed, kept while an account has unfinished items."""

import logging

from pydantic import SecretStr

from agent.jobs.events import EVENT_LIMIT
from agent.jobs.journal import Transaction
from common.access import AccountAccess
from common.domain.accounts import DriverName
from common.protocol.events import SessionSaved
from common.security.sealing import place_of, seal, unseal

_LOG = logging.getLogger(__name__)


def with_newest_session(transaction: Transaction, access: AccountAccess) -> AccountAccess:
    """Return `access` with the session saved here, where that is newer than its own."""
    row = _row(transaction, access.account_id, access.driver)
    if row is None or row[0] <= access.session_version:
        return access
    version, sealed = row
    text = unseal(transaction.key, sealed, _place(access.account_id, access.driver, version))
    return access.model_copy(update={"session": SecretStr(text), "session_version": version})


def save_session(
    transaction: Transaction, access: AccountAccess, session: SecretStr, user_id: str, username: str
) -> None:
    """Keep a new sign-in state, and tell the desktop of it. The same one again changes nothing."""
    current = with_newest_session(transaction, access)
    text = session.get_secret_value()
    if current.session is not None and current.session.get_secret_value() == text:
        return
    version = current.session_version + 1
    place = _place(access.account_id, access.driver, version)
    transaction.execute(
        "INSERT INTO session (account_id, driver, version, sealed) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (account_id, driver) DO UPDATE SET "
        "version = excluded.version, sealed = excluded.sealed",
        (access.account_id, access.driver, version, seal(transaction.key, text, place)),
    )
    saved = SessionSaved(
        account_id=access.account_id,
        driver=access.driver,
        version=version,
        session=session,
        user_id=user_id,
        username=username,
    )
    if len(saved.model_dump_json().encode()) > EVENT_LIMIT:
        _LOG.warning(
            "A session of %d characters is too large to send; it stays here until the "
            "account's items have ended.",
            len(text),
        )
        return
    transaction.append(saved)


def forget_sessions(transaction: Transaction, account_id: str) -> None:
    """Remove what is kept of an account's sessions."""
    transaction.execute("DELETE FROM session WHERE account_id = ?", (account_id,))


def _row(transaction: Transaction, account_id: str, driver: DriverName) -> tuple[int, bytes] | None:
    found = transaction.execute(
        "SELECT version, sealed FROM session WHERE account_id = ? AND driver = ?",
        (account_id, driver),
    ).fetchone()
    return (int(found[0]), bytes(found[1])) if found else None


def _place(account_id: str, driver: DriverName, version: int) -> str:
    return place_of("session", "sealed", f"{account_id}/{driver}/{version}", 1)
