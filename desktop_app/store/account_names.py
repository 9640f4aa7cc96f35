"""Which account a name on a platform belongs to. Kept for good, also when the account is deleted.

The right to publish is held by an account's id. An account that is deleted and imported again gets
its old id, so that what it has published stays published.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select, update

from common.domain.accounts import Platform
from desktop_app.store.tables import ACCOUNT, ACCOUNT_NAME
from desktop_app.store.upsert import chunks, insert_ignoring


@dataclass(frozen=True, slots=True)
class NameKey:
    """The name of an account on one platform; case means nothing in it."""

    platform: Platform
    platform_url: str
    username: str

    @property
    def columns(self) -> dict[str, str]:
        """Return it as it is stored."""
        return {
            "platform": self.platform.value,
            "platform_url": self.platform_url.lower(),
            "username": self.username.lower(),
        }


def account_ids(
    connection: Connection, platform: Platform, platform_url: str, usernames: Collection[str]
) -> dict[str, str]:
    """Return the ids of the accounts that had these names on a platform, by lower-case name."""
    found: dict[str, str] = {}
    same_place = and_(
        ACCOUNT_NAME.c.platform == platform.value,
        ACCOUNT_NAME.c.platform_url == platform_url.lower(),
    )
    for some in chunks({name.lower() for name in usernames}):
        wanted = select(ACCOUNT_NAME).where(same_place, ACCOUNT_NAME.c.username.in_(some))
        for row in connection.execute(wanted):
            found[row.username] = row.account_id
    return found


def fences(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """Return the fences that accounts had when they were deleted; new ones are left out."""
    found: dict[str, int] = {}
    for some in chunks(ids):
        wanted = select(ACCOUNT_NAME.c.account_id, ACCOUNT_NAME.c.fence)
        rows = connection.execute(wanted.where(ACCOUNT_NAME.c.account_id.in_(some)))
        found.update({row[0]: row[1] for row in rows})
    return found


def note(connection: Connection, account_of: Mapping[NameKey, str]) -> None:
    """Note whose names these are; one that is known stays with its account."""
    new = [key.columns | {"account_id": id_, "fence": 0} for key, id_ in account_of.items()]
    keys = ["platform", "platform_url", "username"]
    insert_ignoring(connection, ACCOUNT_NAME, new, keys=keys)


def keep_fences(connection: Connection, ids: Collection[str]) -> None:
    """Note the fences of accounts that are about to be deleted."""
    for some in chunks(ids):
        fences = select(ACCOUNT.c.id, ACCOUNT.c.fence).where(ACCOUNT.c.id.in_(some))
        for account_id, fence in connection.execute(fences).all():
            mine = ACCOUNT_NAME.c.account_id == account_id
            connection.execute(update(ACCOUNT_NAME).where(mine).values(fence=fence))
