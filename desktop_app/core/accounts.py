"""Accounts as clients command them: import, edit, hold, delete. The core's side of those routes."""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy import Connection

from common.domain.accounts import DriverName, Platform
from common.domain.ids import new_id
from common.errors import ConflictError, InputError, NotFoundError, WireError
from desktop_app.contract.accounts import (
    AccountRow,
    DeleteAccounts,
    EditAccounts,
    HoldAccounts,
    ImportAccounts,
    ImportProblem,
    ImportResult,
)
from desktop_app.contract.base import Changed, Page
from desktop_app.core.changes import ChangeHub
from desktop_app.exchange.account_fields import (
    read_full_name,
    read_password,
    read_tag,
    read_totp_seed,
)
from desktop_app.exchange.accounts_text import ParsedAccount, parse_accounts
from desktop_app.exchange.proxy_url import parse_proxy_url
from desktop_app.store import accounts, items, proxies
from desktop_app.store.accounts import AccountQuery, NewAccount
from desktop_app.store.store import Store
from desktop_app.store.touched import Touched
from desktop_app.store.vault import Vault

_HELD = "Held by the operator."


class AccountService:
    """Everything that a client may do with accounts."""

    def __init__(
        self, store: Store, hub: ChangeHub, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._hub = hub
        self._clock = clock

    async def page(self, query: AccountQuery) -> Page[AccountRow]:
        """Return a slice of the accounts."""
        revision = self._hub.revision
        rows, total = await self._store.read(lambda c: accounts.page(c, query))
        return Page(rows=rows, total=total, offset=query.offset, revision=revision)

    async def import_text(self, command: ImportAccounts) -> ImportResult:
        """Import accounts: all of them, or none where any line has a problem.

        Raises InputError where the command as a whole cannot be carried out.
        """
        platform_url = _platform_url(command)
        extra = frozenset(read_tag(tag) for tag in command.tags) - {""}
        if not command.dry_run and not command.confirmed_authority:
            raise InputError(
                "Nobody has confirmed that these accounts are yours to manage.",
                field="confirmed_authority",
                advice="Confirm that you own these accounts, or are allowed to manage them.",
            )
        parsed = await asyncio.to_thread(parse_accounts, command.text.get_secret_value())
        work = _Import(
            vault=self._store.vault,
            platform=command.platform,
            platform_url=platform_url,
            tags=extra,
            lines=parsed.accounts,
            problems=parsed.problems,
            dry_run=command.dry_run,
            at=self._clock(),
        )
        outcome = await self._store.write(work.run)
        return self._import_result(outcome)

    def _import_result(self, outcome: "_ImportOutcome") -> ImportResult:
        revision = self._hub.touch(outcome.touched) if outcome.applied else self._hub.revision
        return ImportResult(
            applied=outcome.applied,
            accounts=outcome.accounts,
            proxies=outcome.proxies,
            problems=list(outcome.problems),
            revision=revision,
            ids=list(outcome.ids),
        )

    async def edit(self, command: EditAccounts) -> Changed:
        """Change accounts. Raises InputError for a value that cannot be used."""
        edit = _Edit.of(command, self._store.vault)
        return await self._change(command.ids, edit.run)

    async def hold(self, command: HoldAccounts) -> Changed:
        """Hold accounts, or let them go again."""
        at = self._clock()

        def run(connection: Connection, ids: Collection[str]) -> Touched:
            if command.hold:
                by, reason = accounts.HELD_BY_OPERATOR, command.reason.strip() or _HELD
                accounts.hold(connection, ids, by=by, reason=reason, at=at)
            else:
                accounts.release(connection, ids)
            return Touched(accounts=frozenset(ids))

        return await self._change(command.ids, run)

    async def delete(self, command: DeleteAccounts) -> Changed:
        """Remove accounts; one with unfinished items is refused."""

        def run(connection: Connection) -> tuple[Touched, list[str], dict[str, WireError]]:
            known = accounts.records(connection, command.ids)
            busy = {item.account_id for item in items.unfinished(connection)} & known.keys()
            refused = {
                id_: ConflictError(
                    f"@{known[id_].username} has unfinished items.",
                    advice="Cancel them, or wait until they have ended.",
                    subject=known[id_].username,
                ).to_wire()
                for id_ in busy
            }
            gone = [id_ for id_ in command.ids if id_ in known and id_ not in busy]
            used = {known[id_].proxy_id for id_ in gone} - {None}
            touched = accounts.remove(connection, gone)
            return touched | Touched(proxies=frozenset(filter(None, used))), gone, refused

        touched, gone, refused = await self._store.write(run)
        revision = self._hub.touch(touched) if gone else self._hub.revision
        return Changed(
            revision=revision, ids=gone, refused=refused | _unknown(command.ids, gone, refused)
        )

    async def _change(
        self, ids: list[str], work: Callable[[Connection, Collection[str]], Touched]
    ) -> Changed:
        def run(connection: Connection) -> tuple[list[str], Touched]:
            known = accounts.records(connection, ids)
            present = [id_ for id_ in ids if id_ in known]
            return present, work(connection, present) if present else Touched()

        present, touched = await self._store.write(run)
        revision = self._hub.touch(touched) if present else self._hub.revision
        return Changed(revision=revision, ids=present, refused=_unknown(ids, present, {}))


def _unknown(
    asked: list[str], done: Collection[str], refused: Collection[str]
) -> dict[str, WireError]:
    missing = set(asked) - set(done) - set(refused)
    return {
        id_: NotFoundError("There is no such account.", subject=id_).to_wire() for id_ in missing
    }


def _platform_url(command: ImportAccounts) -> str:
    """Return the practice platform's address: only on this machine, and only for practice."""
    if command.platform is not Platform.PRACTICE:
        if command.platform_url:
            raise InputError(
                "Only practice accounts have an address of their platform.", field="platform_url"
            )
        return ""
    try:
        url = urlsplit(command.platform_url.strip())
        local = url.scheme in {"http", "https"} and _is_loopback(url.hostname or "")
    except ValueError:
        local = False
    if not local:
        raise InputError(
            "The practice platform's address must be on this machine.",
            field="platform_url",
            advice="Give the address that flotilla-practice printed.",
        )
    return command.platform_url.strip().rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _ImportOutcome:
    applied: bool
    accounts: int
    proxies: int
    problems: tuple[ImportProblem, ...]
    ids: tuple[str, ...] = ()
    touched: Touched = field(default_factory=Touched)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Import:
    """One import, run in one transaction."""

    vault: Vault
    platform: Platform
    platform_url: str
    tags: frozenset[str]
    lines: tuple[ParsedAccount, ...]
    problems: tuple[ImportProblem, ...]
    dry_run: bool
    at: float

    def run(self, connection: Connection) -> _ImportOutcome:
        problems = [*self.problems, *self._taken(connection)]
        problems.sort(key=lambda problem: problem.line)
        before = proxies.known(connection)
        new = {(line.proxy.url, line.proxy.username) for line in self.lines if line.proxy} - before
        if problems or self.dry_run:
            return _ImportOutcome(False, len(self.lines), len(new), tuple(problems))
        named = [self._account(connection, line) for line in self.lines]
        wanted = accounts.with_former_ids(connection, named)
        touched = accounts.insert(connection, self.vault, wanted, at=self.at)
        ids = tuple(account.id for account in wanted)
        return _ImportOutcome(True, len(wanted), len(new), (), ids, touched)

    def _taken(self, connection: Connection) -> list[ImportProblem]:
        taken = accounts.known_usernames(connection, self.platform, self.platform_url)
        return [
            ImportProblem(
                line=line.line,
                field="username",
                message=f"The account {line.username} is already in this store.",
                advice="Remove the line, or edit the account that is there.",
            )
            for line in self.lines
            if line.username in taken
        ]

    def _account(self, connection: Connection, line: ParsedAccount) -> NewAccount:
        proxy_id = None
        if line.proxy:
            proxy_id = proxies.ensure(
                connection, self.vault, line.proxy.url, line.proxy.username, line.proxy.password
            )
        return NewAccount(
            id=new_id(),
            platform=self.platform,
            platform_url=self.platform_url,
            username=line.username,
            full_name=line.full_name,
            driver=line.driver,
            proxy_id=proxy_id,
            password=line.password,
            totp_seed=line.totp_seed,
            tags=line.tags | self.tags,
        )


@dataclass(frozen=True, slots=True)
class _Edit:
    """One edit with all its values read, run in one transaction."""

    command: EditAccounts
    vault: Vault
    add_tags: frozenset[str]

    @classmethod
    def of(cls, command: EditAccounts, vault: Vault) -> "_Edit":
        """Read every value first, so that a bad one changes nothing."""
        if command.password is not None and command.password.get_secret_value():
            read_password(command.password.get_secret_value())
        if command.proxy_url is not None and command.proxy_url.get_secret_value():
            parse_proxy_url(command.proxy_url.get_secret_value())
        if command.totp_seed is not None:
            seed = read_totp_seed(command.totp_seed.get_secret_value())
            command = command.model_copy(update={"totp_seed": seed or command.totp_seed})
        if command.full_name is not None:
            name = read_full_name(command.full_name)
            command = command.model_copy(update={"full_name": name})
        tags = frozenset(read_tag(tag) for tag in command.add_tags) - {""}
        return cls(command, vault, tags)

    def run(self, connection: Connection, ids: Collection[str]) -> Touched:
        command = self.command
        used = {account.proxy_id for account in accounts.records(connection, ids).values()}
        values: dict[str, object] = {}
        if command.driver is not None:
            chosen = command.driver
            values["driver"] = chosen.value if isinstance(chosen, DriverName) else None
        if command.full_name is not None:
            values["full_name"] = command.full_name
        if command.proxy_url is not None:
            values["proxy_id"] = self._proxy(connection)
            used.add(values["proxy_id"])  # type: ignore[arg-type] # the id just made, or None
        accounts.set_fields(connection, ids, values)
        if command.password is not None:
            accounts.set_secret(connection, self.vault, ids, "password", command.password)
        if command.totp_seed is not None:
            accounts.set_secret(connection, self.vault, ids, "totp_seed", command.totp_seed)
        accounts.add_tags(connection, dict.fromkeys(ids, self.add_tags))
        if command.remove_tags:
            accounts.remove_tags(connection, ids, command.remove_tags)
        touched = Touched(accounts=frozenset(ids), proxies=frozenset(filter(None, used)))
        return touched if command.proxy_url is not None else Touched(accounts=frozenset(ids))

    def _proxy(self, connection: Connection) -> str | None:
        if self.command.proxy_url is None or not self.command.proxy_url.get_secret_value():
            return None
        proxy = parse_proxy_url(self.command.proxy_url.get_secret_value())
        return proxies.ensure(connection, self.vault, proxy.url, proxy.username, proxy.password)
