"""Puts together what an agent is given: items with their accounts' secrets, opened for the wire.

The only place where secrets of accounts and proxies leave the vault.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import DriverName, Platform
from common.domain.content import Baseline, Placement, PostKind
from common.domain.states import ActionState
from common.domain.transitions import IN_DOUBT_STATES
from common.errors import NotFoundError
from common.items import ItemSpec, MediaRef, PublishSpec
from desktop_app.store import media
from desktop_app.store.tables import ACCOUNT, ITEM, PROXY, PUBLISH_INTENT, RUN, SESSION
from desktop_app.store.upsert import chunks
from desktop_app.store.vault import Vault

_Rows = dict[str, RowMapping]

_POSTS_KNOWN = 50
"""The newest posts of an account that are told to an agent with a doubt."""
_CLOCK_MARGIN_SECONDS = 300.0
"""By how much the platform's clock may be behind this machine's."""


def item_specs(connection: Connection, vault: Vault, item_ids: Collection[str]) -> list[ItemSpec]:
    """Return items complete for an agent, in the order of their runs.

    Items whose account is gone are left out. Raises VaultError where a secret does not open.
    """
    specs: list[ItemSpec] = []
    for some in chunks(item_ids):
        specs += _specs(connection, vault, some)
    return specs


def account_access(
    connection: Connection, vault: Vault, account_id: str, driver: DriverName
) -> AccountAccess:
    """Return what an agent needs to act for an account; raises NotFoundError, VaultError."""
    accounts = _by_id(connection, ACCOUNT, [account_id])
    if account_id not in accounts:
        raise NotFoundError("There is no such account.", subject=account_id)
    account = accounts[account_id]
    proxies = _by_id(connection, PROXY, [account["proxy_id"]] if account["proxy_id"] else [])
    sessions = _sessions(connection, [account_id])
    return _access(vault, account, driver, proxies, sessions)


def _specs(connection: Connection, vault: Vault, item_ids: list[str]) -> list[ItemSpec]:
    wanted = (
        select(ITEM, RUN.c.task)
        .join(RUN, RUN.c.id == ITEM.c.run_id)
        .where(ITEM.c.id.in_(item_ids))
        .order_by(ITEM.c.run_id, ITEM.c.position)
    )
    found = connection.execute(wanted).mappings().all()
    accounts = _by_id(connection, ACCOUNT, {row["account_id"] for row in found})
    proxies = _by_id(
        connection, PROXY, {row["proxy_id"] for row in accounts.values() if row["proxy_id"]}
    )
    sessions = _sessions(connection, accounts)
    publishing = _by_id(
        connection, PUBLISH_INTENT, {row["intent_id"] for row in found if row["intent_id"]}
    )
    sources = {sha256 for intent in publishing.values() for sha256 in intent["media"]}
    files = media.refs(connection, sources)
    doubts = {
        intent["id"]: _doubt(connection, intent)
        for intent in publishing.values()
        if _is_doubtful(intent)
    }
    specs = []
    for row in found:
        account = accounts.get(row["account_id"])
        if account is None:
            continue
        access = _access(vault, account, DriverName(row["driver"]), proxies, sessions)
        intent = publishing.get(row["intent_id"] or "")
        publish = _publish(intent, files, doubts.get(intent["id"])) if intent else None
        specs.append(_spec(row, account["fence"], access, publish))
    return specs


def _spec(
    row: RowMapping,
    fence: int,
    access: AccountAccess,
    publish: PublishSpec | None,
) -> ItemSpec:
    return ItemSpec(
        item_id=row["id"],
        run_id=row["run_id"],
        task=row["task"],
        title=row["title"],
        attempt=row["attempt"],
        fence=fence,
        account=access,
        parameters=row["parameters"],
        publish=publish,
        not_before=row["not_before"],
    )


def _is_doubtful(intent: RowMapping) -> bool:
    return intent["must_look"] or ActionState(intent["state"]) in IN_DOUBT_STATES


def _doubt(connection: Connection, intent: RowMapping) -> Baseline:
    """Return what was there before a post may have been sent, for an agent that does not know.

    Posts that settle other intents of the account are in it: they cannot be this one.
    """
    known = connection.scalars(
        select(PUBLISH_INTENT.c.remote_id)
        .where(
            PUBLISH_INTENT.c.account_id == intent["account_id"],
            PUBLISH_INTENT.c.id != intent["id"],
            PUBLISH_INTENT.c.state == ActionState.CONFIRMED.value,
            PUBLISH_INTENT.c.remote_id != "",
        )
        .order_by(PUBLISH_INTENT.c.created_at.desc())
        .limit(_POSTS_KNOWN)
    )
    stored = intent["baseline"]
    if stored is None:
        return Baseline(
            post_ids=tuple(known),
            platform_time=intent["created_at"] - _CLOCK_MARGIN_SECONDS,
            is_estimate=True,
        )
    before = Baseline.model_validate(stored)
    return before.model_copy(update={"post_ids": tuple(dict.fromkeys([*before.post_ids, *known]))})


def _publish(intent: RowMapping, files: dict[str, MediaRef], doubt: Baseline | None) -> PublishSpec:
    missing = [sha256 for sha256 in intent["media"] if sha256 not in files]
    if missing:
        raise NotFoundError(
            "A file that an item publishes is no longer in the library.",
            subject=missing[0],
            advice="Add the file again, then retry the item.",
        )
    return PublishSpec(
        intent_id=intent["id"],
        content_key=intent["content_key"],
        placement=Placement(intent["placement"]),
        kind=PostKind(intent["kind"]),
        media=[files[sha256] for sha256 in intent["media"]],
        caption=intent["caption"],
        doubt=doubt,
    )


def _access(
    vault: Vault,
    account: RowMapping,
    driver: DriverName,
    proxies: _Rows,
    sessions: dict[tuple[str, str], RowMapping],
) -> AccountAccess:
    id_ = account["id"]
    session = sessions.get((id_, driver.value))
    proxy = proxies.get(account["proxy_id"] or "")
    return AccountAccess(
        account_id=id_,
        platform=Platform(account["platform"]),
        platform_url=account["platform_url"],
        username=account["username"],
        user_id=account["user_id"] or None,
        password=vault.open_optional("account", "password", id_, account["password"]),
        totp_seed=vault.open_optional("account", "totp_seed", id_, account["totp_seed"]),
        session=open_session(vault, session) if session else None,
        session_version=session["version"] if session else 0,
        driver=driver,
        proxy=_proxy(vault, proxy) if proxy else None,
    )


def open_session(vault: Vault, row: RowMapping) -> Any:
    """Open a saved sign-in state."""
    return vault.open(
        "session", "sealed", session_row(row["account_id"], row["driver"]), row["sealed"]
    )


def session_row(account_id: str, driver: str) -> str:
    """Name the row of a saved sign-in state, for sealing."""
    return f"{account_id}/{driver}"


def _proxy(vault: Vault, proxy: RowMapping) -> ProxyAccess:
    return ProxyAccess(
        proxy_id=proxy["id"],
        url=proxy["url"],
        username=proxy["username"],
        password=vault.open_optional("proxy", "password", proxy["id"], proxy["password"]),
    )


def _by_id(connection: Connection, table: Any, ids: Collection[str]) -> _Rows:
    found: _Rows = {}
    for some in chunks(ids):
        for row in connection.execute(select(table).where(table.c.id.in_(some))).mappings():
            found[row["id"]] = row
    return found


def _sessions(
    connection: Connection, account_ids: Collection[str]
) -> dict[tuple[str, str], RowMapping]:
    found: dict[tuple[str, str], RowMapping] = {}
    for some in chunks(account_ids):
        wanted = select(SESSION).where(SESSION.c.account_id.in_(some))
        for row in connection.execute(wanted).mappings():
            found[(row["account_id"], row["driver"])] = row
    return found
