"""Proxies: the same address with another user name is another proxy."""

from collections.abc import Collection, Iterable

from pydantic import SecretStr
from sqlalchemy import Connection, delete, func, select, update

from common.domain.ids import new_id
from desktop_app.contract.accounts import ProxyRow
from desktop_app.store.tables import ACCOUNT, PROXY
from desktop_app.store.touched import Touched
from desktop_app.store.vault import Vault


def rows(connection: Connection, ids: Collection[str] | None = None) -> list[ProxyRow]:
    """Return proxies, all or those with these ids, by address."""
    used = (
        select(ACCOUNT.c.proxy_id, func.count().label("accounts"))
        .group_by(ACCOUNT.c.proxy_id)
        .subquery()
    )
    wanted = (
        select(
            PROXY.c.id,
            PROXY.c.url,
            PROXY.c.username,
            PROXY.c.password.is_not(None).label("has_password"),
            func.coalesce(used.c.accounts, 0).label("accounts"),
        )
        .outerjoin(used, used.c.proxy_id == PROXY.c.id)
        .order_by(PROXY.c.url, PROXY.c.username)
    )
    found = [ProxyRow.model_validate(dict(row)) for row in connection.execute(wanted).mappings()]
    return found if ids is None else [row for row in found if row.id in ids]


def known(connection: Connection) -> set[tuple[str, str]]:
    """Return address and user name of every proxy."""
    return {(url, name) for url, name in connection.execute(select(PROXY.c.url, PROXY.c.username))}


def ensure(
    connection: Connection, vault: Vault, url: str, username: str, password: SecretStr | None
) -> str:
    """Return the id of a proxy, storing it where it is new. A password given replaces the old."""
    where = (PROXY.c.url == url, PROXY.c.username == username)
    proxy_id: str | None = connection.scalar(select(PROXY.c.id).where(*where))
    if proxy_id is None:
        proxy_id = new_id()
        sealed = vault.seal_optional("proxy", "password", proxy_id, password)
        connection.execute(
            PROXY.insert().values(id=proxy_id, url=url, username=username, password=sealed)
        )
    elif password is not None and password.get_secret_value():
        sealed = vault.seal("proxy", "password", proxy_id, password)
        connection.execute(update(PROXY).where(*where).values(password=sealed))
    return proxy_id


def remove_unused(connection: Connection, ids: Iterable[str]) -> Touched:
    """Delete those of the proxies that no account uses any more."""
    used = select(ACCOUNT.c.proxy_id).where(ACCOUNT.c.proxy_id.is_not(None))
    unused = select(PROXY.c.id).where(PROXY.c.id.in_(list(ids)), PROXY.c.id.not_in(used))
    gone = frozenset(connection.scalars(unused))
    if gone:
        connection.execute(delete(PROXY).where(PROXY.c.id.in_(gone)))
    return Touched(removed={"proxies": gone} if gone else {})
