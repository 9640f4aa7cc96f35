"""Accounts: lists, records for planning, edits, holds. Their secrets go in sealed and stay in.

What an agent is given to act (with secrets) is put together in `specs.py`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import SecretStr, TypeAdapter
from sqlalchemy import (
    Connection,
    Row,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from common.domain.accounts import DriverName, Platform
from common.domain.states import SignInState
from desktop_app.contract.accounts import AccountRow
from desktop_app.store import account_names
from desktop_app.store.account_names import NameKey
from desktop_app.store.records import AccountCounts, AccountRecord
from desktop_app.store.tables import ACCOUNT, ACCOUNT_TAG, AGENT, PROXY, SESSION
from desktop_app.store.touched import Touched
from desktop_app.store.upsert import chunks, insert_ignoring
from desktop_app.store.vault import Vault

HELD_BY_OPERATOR = "operator"
HELD_BY_PLATFORM = "platform"

Sort = Literal["username", "full_name", "sign_in", "posts", "created_at", "agent", "proxy"]
_SORTS: dict[str, ColumnElement[Any]] = {
    "username": ACCOUNT.c.username,
    "full_name": func.lower(ACCOUNT.c.full_name),
    "sign_in": ACCOUNT.c.sign_in,
    "posts": ACCOUNT.c.posts,
    "created_at": ACCOUNT.c.created_at,
    "agent": func.lower(func.coalesce(AGENT.c.name, "")),
    "proxy": func.coalesce(PROXY.c.url, ""),
}
_HIDDEN = {"password", "totp_seed", "fence", "hold_by", "authority_confirmed_at", "moving_to"}
_TARGET = AGENT.alias("target")
_SHOWN: dict[str, ColumnElement[Any]] = {
    **{column.name: column for column in ACCOUNT.c if column.name not in _HIDDEN},
    "has_password": ACCOUNT.c.password.is_not(None).label("has_password"),
    "has_totp": ACCOUNT.c.totp_seed.is_not(None).label("has_totp"),
    "proxy": func.coalesce(PROXY.c.url, "").label("proxy"),
    "agent": func.coalesce(AGENT.c.name, "").label("agent"),
    "moving_to": func.coalesce(_TARGET.c.name, "").label("moving_to"),
}
_ROWS: TypeAdapter[list[AccountRow]] = TypeAdapter(list[AccountRow])


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountQuery:
    """Which accounts, in which order."""

    search: str = ""
    """Part of a user name or full name, in any case."""
    tag: str = ""
    sign_in: SignInState | None = None
    held: bool | None = None
    agent_id: str = ""
    proxy_id: str = ""
    sort: Sort = "username"
    descending: bool = False
    offset: int = 0
    limit: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAccount:
    """An account about to be stored."""

    id: str
    platform: Platform
    platform_url: str
    username: str
    full_name: str = ""
    driver: DriverName | None = None
    proxy_id: str | None = None
    password: SecretStr | None = None
    totp_seed: SecretStr | None = None
    tags: frozenset[str] = frozenset()


def page(connection: Connection, query: AccountQuery) -> tuple[list[AccountRow], int]:
    """Return a slice of the accounts, and how many there are in all under the same filter."""
    where = _where(query)
    total = connection.scalar(select(func.count()).select_from(ACCOUNT).where(*where)) or 0
    order = _SORTS[query.sort]
    ordered = order.desc() if query.descending else order.asc()
    wanted = _row_select().where(*where).order_by(ordered, ACCOUNT.c.id)
    wanted = wanted.offset(query.offset).limit(query.limit)
    found = connection.execute(wanted).all()
    whole = len(found) == total and not where
    tags = _tags(connection, None if whole else [row.id for row in found])
    return _rows(found, tags), total


def rows(connection: Connection, ids: Collection[str]) -> list[AccountRow]:
    """Return the accounts with these ids; one that is gone is left out."""
    found: list[AccountRow] = []
    for some in chunks(ids):
        part = connection.execute(_row_select().where(ACCOUNT.c.id.in_(some)))
        found += _rows(part, _tags(connection, some))
    return found


def targets(
    connection: Connection,
    *,
    ids: Collection[str] = (),
    usernames: Collection[str] = (),
    tags: Collection[str] = (),
) -> list[AccountRecord]:
    """Return every account that is named or has any of the tags, each once, by user name."""
    found: set[str] = set()
    for some in chunks(ids):
        found.update(connection.scalars(select(ACCOUNT.c.id).where(ACCOUNT.c.id.in_(some))))
    for some in chunks({name.lower() for name in usernames}):
        found.update(connection.scalars(select(ACCOUNT.c.id).where(ACCOUNT.c.username.in_(some))))
    for some in chunks(tags):
        tagged = select(ACCOUNT_TAG.c.account_id).where(ACCOUNT_TAG.c.tag.in_(some))
        found.update(connection.scalars(tagged))
    return sorted(records(connection, found).values(), key=lambda account: account.username)


def records(connection: Connection, ids: Collection[str]) -> dict[str, AccountRecord]:
    """Return accounts as planning sees them, by id; one that is gone is left out."""
    found: dict[str, AccountRecord] = {}
    for some in chunks(ids):
        tags = _tags(connection, some)
        sessions: defaultdict[str, set[DriverName]] = defaultdict(set)
        saved = select(SESSION.c.account_id, SESSION.c.driver)
        for account_id, driver in connection.execute(saved.where(SESSION.c.account_id.in_(some))):
            sessions[account_id].add(DriverName(driver))
        for row in connection.execute(select(ACCOUNT).where(ACCOUNT.c.id.in_(some))).mappings():
            known = sessions[row["id"]]
            found[row["id"]] = _record(row, tags.get(row["id"], []), known)
    return found


def counts(connection: Connection) -> AccountCounts:
    """Count all accounts."""
    held = func.count(ACCOUNT.c.hold_at)
    counted = select(ACCOUNT.c.platform, ACCOUNT.c.sign_in, func.count(), held)
    by_sign_in: defaultdict[SignInState, int] = defaultdict(int)
    total = held_total = practice = 0
    for platform, sign_in, count, holds in connection.execute(
        counted.group_by(ACCOUNT.c.platform, ACCOUNT.c.sign_in)
    ):
        by_sign_in[SignInState(sign_in)] += count
        total += count
        held_total += holds
        practice += count if platform == Platform.PRACTICE else 0
    return AccountCounts(total, held_total, practice, dict(by_sign_in))


def tags_in_use(connection: Connection) -> dict[str, int]:
    """Return every tag with the number of its accounts, by name."""
    counted = select(ACCOUNT_TAG.c.tag, func.count()).group_by(ACCOUNT_TAG.c.tag)
    found = connection.execute(counted.order_by(ACCOUNT_TAG.c.tag))
    return {row[0]: row[1] for row in found}


def known_usernames(connection: Connection, platform: Platform, platform_url: str) -> set[str]:
    """Return the user names that are taken on one platform."""
    taken = select(ACCOUNT.c.username).where(
        ACCOUNT.c.platform == platform.value,
        func.lower(ACCOUNT.c.platform_url) == platform_url.lower(),
    )
    return set(connection.scalars(taken))


def insert(
    connection: Connection, vault: Vault, accounts: Sequence[NewAccount], *, at: float
) -> Touched:
    """Store new accounts; `at` is also when the operator confirmed their authority over them.

    One that was in this store before comes with its old id (see `with_former_ids`).
    """
    names = {
        NameKey(account.platform, account.platform_url, account.username): account.id
        for account in accounts
    }
    fences = account_names.fences(connection, [account.id for account in accounts])
    values = [
        _values(vault, account, at, max(_first_fence(at), fences.get(account.id, -1) + 1))
        for account in accounts
    ]
    if values:
        connection.execute(ACCOUNT.insert(), values)
    account_names.note(connection, names)
    add_tags(connection, {account.id: account.tags for account in accounts})
    return Touched(
        accounts=frozenset(account.id for account in accounts),
        proxies=frozenset(account.proxy_id for account in accounts if account.proxy_id),
    )


def with_former_ids(connection: Connection, wanted: Sequence[NewAccount]) -> list[NewAccount]:
    """Return accounts of one platform with the ids that they had in this store before, if any.

    Whatever an account published and whatever of it is in doubt is kept under its id.
    """
    if not wanted:
        return []
    place = wanted[0]
    known = account_names.account_ids(
        connection, place.platform, place.platform_url, [account.username for account in wanted]
    )
    return [
        replace(account, id=known.get(account.username.lower(), account.id)) for account in wanted
    ]


def add_tags(connection: Connection, tags: Mapping[str, Iterable[str]]) -> None:
    """Add tags to accounts; those they have already stay."""
    new = [
        {"account_id": account_id, "tag": tag} for account_id, some in tags.items() for tag in some
    ]
    insert_ignoring(connection, ACCOUNT_TAG, new, keys=["account_id", "tag"])


def remove_tags(connection: Connection, ids: Collection[str], tags: Collection[str]) -> None:
    """Take tags away from accounts."""
    for some in chunks(ids):
        gone = and_(ACCOUNT_TAG.c.account_id.in_(some), ACCOUNT_TAG.c.tag.in_(list(tags)))
        connection.execute(delete(ACCOUNT_TAG).where(gone))


def set_fields(connection: Connection, ids: Collection[str], values: Mapping[str, Any]) -> None:
    """Set plain columns (`driver`, `proxy_id`, `full_name`) of accounts."""
    if values:
        for some in chunks(ids):
            connection.execute(update(ACCOUNT).where(ACCOUNT.c.id.in_(some)).values(**values))


def set_secret(
    connection: Connection,
    vault: Vault,
    ids: Collection[str],
    column: Literal["password", "totp_seed"],
    secret: SecretStr,
) -> None:
    """Replace a secret of accounts; an empty one removes it."""
    rows = [
        {"b_id": id_, "b_sealed": vault.seal_optional("account", column, id_, secret)}
        for id_ in ids
    ]
    if rows:
        statement = update(ACCOUNT).where(ACCOUNT.c.id == bindparam("b_id"))
        connection.execute(statement.values({column: bindparam("b_sealed")}), rows)


def hold(connection: Connection, ids: Collection[str], *, by: str, reason: str, at: float) -> None:
    """Stop accounts from being used."""
    values = {"hold_by": by, "hold_reason": reason, "hold_error": None, "hold_at": at}
    set_fields(connection, ids, values)


def release(connection: Connection, ids: Collection[str]) -> None:
    """Let held accounts go again."""
    values = {"hold_by": None, "hold_reason": None, "hold_error": None, "hold_at": None}
    set_fields(connection, ids, values)


def assign(connection: Connection, agent_of: Mapping[str, str]) -> Touched:
    """Give accounts to agents. An account that comes from another agent gets a higher fence."""
    rows = [{"b_id": account_id, "b_agent": agent} for account_id, agent in agent_of.items()]
    if not rows:
        return Touched()
    moves = and_(
        ACCOUNT.c.id == bindparam("b_id"),
        or_(ACCOUNT.c.agent_id.is_(None), ACCOUNT.c.agent_id != bindparam("b_agent")),
    )
    statement = update(ACCOUNT).where(moves)
    connection.execute(
        statement.values(agent_id=bindparam("b_agent"), fence=ACCOUNT.c.fence + 1, moving_to=None),
        rows,
    )
    return Touched(accounts=frozenset(agent_of), agents=frozenset(agent_of.values()))


def renew_fences(connection: Connection, *, at: float) -> None:
    """Give every account a fence above all that were given before, by this store or a lost life."""
    fresh, higher = _first_fence(at), ACCOUNT.c.fence + 1
    newest = case((ACCOUNT.c.fence < fresh, fresh), else_=higher)
    connection.execute(update(ACCOUNT).values(fence=newest))


def raise_fences(connection: Connection, fences: Mapping[str, int]) -> Touched:
    """Take fences over that an agent has seen and this store did not give, by account."""
    for account_id, fence in fences.items():
        lower = and_(ACCOUNT.c.id == account_id, ACCOUNT.c.fence < fence)
        connection.execute(update(ACCOUNT).where(lower).values(fence=fence))
    return Touched(accounts=frozenset(fences))


def fences(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """Return the fence of accounts by id."""
    found: dict[str, int] = {}
    for some in chunks(ids):
        wanted = select(ACCOUNT.c.id, ACCOUNT.c.fence).where(ACCOUNT.c.id.in_(some))
        found.update({row[0]: row[1] for row in connection.execute(wanted)})
    return found


def set_moving(connection: Connection, ids: Collection[str], agent_id: str | None) -> Touched:
    """Note where accounts go once their agent holds nothing of them; None for staying."""
    set_fields(connection, ids, {"moving_to": agent_id})
    return Touched(accounts=frozenset(ids))


def moving(connection: Connection, agent_id: str | None = None) -> dict[str, str]:
    """Return where accounts are about to go, by account id; of one agent where one is given."""
    wanted = select(ACCOUNT.c.id, ACCOUNT.c.moving_to).where(ACCOUNT.c.moving_to.is_not(None))
    if agent_id is not None:
        wanted = wanted.where(ACCOUNT.c.agent_id == agent_id)
    return {row[0]: row[1] for row in connection.execute(wanted)}


def remove(connection: Connection, ids: Collection[str]) -> Touched:
    """Delete accounts with their tags and sessions; their names, intents and ledgers stay."""
    account_names.keep_fences(connection, ids)
    for some in chunks(ids):
        connection.execute(delete(ACCOUNT).where(ACCOUNT.c.id.in_(some)))
    return Touched(removed={"accounts": frozenset(ids)})


def _where(query: AccountQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if query.search:
        text = query.search.lower().removeprefix("@")
        part = ACCOUNT.c.username.contains(text, autoescape=True)
        full = func.lower(ACCOUNT.c.full_name).contains(text, autoescape=True)
        where.append(or_(part, full))
    if query.tag:
        tagged = select(ACCOUNT_TAG.c.account_id).where(ACCOUNT_TAG.c.tag == query.tag)
        where.append(ACCOUNT.c.id.in_(tagged))
    if query.sign_in:
        where.append(ACCOUNT.c.sign_in == query.sign_in.value)
    if query.held is not None:
        where.append(ACCOUNT.c.hold_at.is_not(None) if query.held else ACCOUNT.c.hold_at.is_(None))
    if query.agent_id:
        where.append(ACCOUNT.c.agent_id == query.agent_id)
    if query.proxy_id:
        where.append(ACCOUNT.c.proxy_id == query.proxy_id)
    return where


def _row_select() -> Select[Any]:
    return (
        select(*_SHOWN.values())
        .select_from(ACCOUNT)
        .outerjoin(PROXY, PROXY.c.id == ACCOUNT.c.proxy_id)
        .outerjoin(AGENT, AGENT.c.id == ACCOUNT.c.agent_id)
        .outerjoin(_TARGET, _TARGET.c.id == ACCOUNT.c.moving_to)
    )


def _rows(found: Iterable[Row[Any]], tags: Mapping[str, list[str]]) -> list[AccountRow]:
    return _ROWS.validate_python([_shown(row, tags) for row in found])


def _shown(row: Row[Any], tags: Mapping[str, list[str]]) -> dict[str, Any]:
    values: dict[str, Any] = dict(zip(_SHOWN, row, strict=True))
    values["tags"] = tags.get(values["id"], [])
    values["profile_url"] = profile_url(
        values["platform"], values["platform_url"], values["username"]
    )
    if values["hold_at"] is not None:
        values["hold"] = {
            "reason": values["hold_reason"] or "",
            "error": values["hold_error"],
            "at": values["hold_at"],
        }
    return values


def profile_url(platform: str, platform_url: str, username: str) -> str:
    """Return the address of an account's page on its platform."""
    return f"{_base_url(platform, platform_url)}/{username}/"


def post_url(account: AccountRecord, code: str) -> str:
    """Return the address of a post's page by its short code."""
    return f"{_base_url(account.platform, account.platform_url)}/p/{code}/"


def _base_url(platform: str, platform_url: str) -> str:
    base = platform_url if platform == Platform.PRACTICE else "https://www.instagram.com"
    return base.rstrip("/")


def _tags(connection: Connection, ids: Sequence[str] | None) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    wanted = select(ACCOUNT_TAG).order_by(ACCOUNT_TAG.c.account_id, ACCOUNT_TAG.c.tag)
    if ids is None:
        for account_id, tag in connection.execute(wanted):
            found[account_id].append(tag)
        return found
    for some in chunks(ids):
        for account_id, tag in connection.execute(wanted.where(ACCOUNT_TAG.c.account_id.in_(some))):
            found[account_id].append(tag)
    return found


def _record(row: RowMapping, tags: Iterable[str], sessions: Iterable[DriverName]) -> AccountRecord:
    return AccountRecord(
        id=row["id"],
        platform=Platform(row["platform"]),
        platform_url=row["platform_url"],
        username=row["username"],
        full_name=row["full_name"],
        user_id=row["user_id"],
        tags=tuple(tags),
        driver=DriverName(row["driver"]) if row["driver"] else None,
        proxy_id=row["proxy_id"],
        agent_id=row["agent_id"],
        moving_to=row["moving_to"],
        fence=row["fence"],
        has_password=row["password"] is not None,
        has_totp=row["totp_seed"] is not None,
        sessions=frozenset(sessions),
        sign_in=SignInState(row["sign_in"]),
        held=row["hold_at"] is not None,
        hold_reason=row["hold_reason"] or "",
        held_by_platform=row["hold_by"] == HELD_BY_PLATFORM,
    )


def _first_fence(at: float) -> int:
    """Return a fence above any that was given without this store's knowledge: minutes since 1970.

    Agents keep an account's fence for good, and it may have been given by another store that had
    the account earlier, or by a life of this one that a restored copy does not know. An account
    moves less than once a minute, so the newer one is higher. Where a clock was fast, agents turn
    the account's work away until the fence is higher: nothing is published twice for it.
    """
    return int(at // 60)


def _values(vault: Vault, account: NewAccount, at: float, fence: int) -> dict[str, Any]:
    sealed = {
        "password": vault.seal_optional("account", "password", account.id, account.password),
        "totp_seed": vault.seal_optional("account", "totp_seed", account.id, account.totp_seed),
    }
    return sealed | {
        "id": account.id,
        "platform": account.platform.value,
        "platform_url": account.platform_url,
        "username": account.username,
        "full_name": account.full_name,
        "user_id": "",
        "driver": account.driver.value if account.driver else None,
        "proxy_id": account.proxy_id,
        "agent_id": None,
        "moving_to": None,
        "fence": fence,
        "sign_in": SignInState.UNKNOWN.value,
        "sign_in_at": None,
        "error": None,
        "hold_by": None,
        "hold_reason": None,
        "hold_error": None,
        "hold_at": None,
        "posts": 0,
        "authority_confirmed_at": at,
        "created_at": at,
    }
