"""The accounts of the platform and the file they live in."""

import dataclasses
import re

from practice.crypto import KeyRing
from practice.state.journal import Journal
from practice.totp import decode_seed
from practice.values import Account

_FIRST_USER_ID = 58_000_000_001
_USERNAME = re.compile(r"[a-z0-9._]{1,30}")
_RESERVED = {"accounts", "api", "avatars", "create", "media", "p", "static", "upload_settings"}


class AccountError(ValueError):
    """An account can't be made as asked; the text says which and why."""


@dataclasses.dataclass(frozen=True, slots=True)
class NewAccount:
    """What is needed to make an account."""

    username: str
    password: str = dataclasses.field(repr=False)
    totp_seed: str | None = dataclasses.field(default=None, repr=False)
    full_name: str = ""
    biography: str = ""
    require_proxy: str | None = None

    def check(self) -> None:
        """Raise ``AccountError`` or ``SeedError`` when no account can be made of this."""
        if not _USERNAME.fullmatch(self.username) or self.username in _RESERVED:
            raise AccountError(
                f"{self.username!r} can't be a user name: use 1 to 30 of a-z, 0-9, dot and "
                "underscore, and no word that a page of the platform uses."
            )
        if not self.password:
            raise AccountError(f"{self.username}: the password is empty.")
        if self.totp_seed is not None:
            decode_seed(self.totp_seed)


class AccountBook:
    """Every account by id and by name."""

    def __init__(self, journal: Journal, keys: KeyRing) -> None:
        self._journal = journal
        self._keys = keys
        self._by_id: dict[int, Account] = {}
        self._by_name: dict[str, Account] = {}
        for record in journal.read():
            self._hold(Account(**record))

    def create(self, wanted: NewAccount) -> Account:
        """Make one account.

        Raises:
            AccountError: when the name is taken or something about it can't be.
        """
        wanted.check()
        if wanted.username in self._by_name:
            raise AccountError(f"{wanted.username!r} exists already.")
        account = Account(
            user_id=_FIRST_USER_ID + len(self._by_id),
            username=wanted.username,
            full_name=wanted.full_name or wanted.username,
            biography=wanted.biography,
            sealed_password=self._keys.seal(_password_purpose(wanted.username), wanted.password),
            sealed_totp_seed=(
                self._keys.seal(_seed_purpose(wanted.username), wanted.totp_seed)
                if wanted.totp_seed
                else None
            ),
            require_proxy=wanted.require_proxy,
        )
        self._journal.append(account)
        self._hold(account)
        return account

    def password_of(self, account: Account) -> str:
        """The account's password."""
        return self._keys.unseal(_password_purpose(account.username), account.sealed_password)

    def totp_seed_of(self, account: Account) -> str | None:
        """The account's TOTP seed, or None when it has no second factor."""
        if account.sealed_totp_seed is None:
            return None
        return self._keys.unseal(_seed_purpose(account.username), account.sealed_totp_seed)

    def by_id(self, user_id: int) -> Account | None:
        """The account with this number."""
        return self._by_id.get(user_id)

    def by_name(self, username: str) -> Account | None:
        """The account with this name; case and outer blanks don't matter."""
        return self._by_name.get(username.strip().lower())

    def all(self) -> list[Account]:
        """Every account in the order of making."""
        return list(self._by_id.values())

    def clear(self) -> None:
        """Forget every account."""
        self._journal.clear()
        self._by_id.clear()
        self._by_name.clear()

    def _hold(self, account: Account) -> None:
        self._by_id[account.user_id] = account
        self._by_name[account.username] = account


def _password_purpose(username: str) -> str:
    return f"password of {username}"


def _seed_purpose(username: str) -> str:
    return f"TOTP seed of {username}"
