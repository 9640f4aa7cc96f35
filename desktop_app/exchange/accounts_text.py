"""Accounts as text: CSV with a header in any order of columns, or lines parted by colons.

Reading finds every problem of a text, each with its line and field, and never repeats a secret.
Writing leaves secrets out.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from common.domain.accounts import DriverName
from common.errors import InputError
from desktop_app.contract.accounts import AccountRow, ImportProblem
from desktop_app.exchange.account_fields import (
    read_driver,
    read_full_name,
    read_password,
    read_tags,
    read_totp_seed,
    read_username,
)
from desktop_app.exchange.proxy_url import ProxyAddress, parse_proxy_url

COLUMNS = ("username", "password", "totp", "full_name", "tags", "proxy", "driver")
_REQUIRED = ("username", "password")
_ALIASES = {
    "user": "username",
    "login": "username",
    "user_name": "username",
    "pass": "password",
    "totp_seed": "totp",
    "2fa": "totp",
    "name": "full_name",
    "tag": "tags",
    "proxy_url": "proxy",
}
_DELIMITERS = (",", ";", "\t")
_PROXY_PART = re.compile(r":([a-z0-9]+://.*)$", re.IGNORECASE)
_COLON_SHAPE = "Write username:password, then :TOTP seed and :proxy address where there are any."
_MOST_COLON_PARTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedAccount:
    """One good line."""

    line: int
    username: str
    password: SecretStr
    totp_seed: SecretStr | None = None
    full_name: str = ""
    tags: frozenset[str] = frozenset()
    proxy: ProxyAddress | None = None
    driver: DriverName | None = None


@dataclass(frozen=True, slots=True)
class ParsedAccounts:
    """What a text holds."""

    accounts: tuple[ParsedAccount, ...]
    problems: tuple[ImportProblem, ...]
    """In the order of the lines."""


def parse_accounts(text: str) -> ParsedAccounts:
    """Read a text of accounts; whatever is wrong with it comes back as problems."""
    lines = list(_content_lines(text))
    if not lines:
        empty = ImportProblem(
            line=1, field="text", message="There is no account in it.", advice=_COLON_SHAPE
        )
        return ParsedAccounts((), (empty,))
    problems: list[ImportProblem] = []
    fields = list(_split(lines, problems))
    accounts = [
        account for line, values in fields if (account := _read_line(line, values, problems))
    ]
    problems += _clashes(accounts)
    return ParsedAccounts(tuple(accounts), tuple(sorted(problems, key=lambda p: p.line)))


def write_accounts(accounts: Iterable[AccountRow]) -> str:
    """Write accounts as CSV, without any secret; what it names can be imported again."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    columns = [column for column in COLUMNS if column not in {"password", "totp"}]
    writer.writerow([*columns, "platform", "sign_in", "posts"])
    for account in accounts:
        driver = account.driver.value if account.driver else ""
        row = [account.username, account.full_name, "|".join(account.tags), account.proxy, driver]
        writer.writerow([*row, account.platform.value, account.sign_in.value, account.posts])
    return output.getvalue()


def problem_of(line: int, error: InputError) -> ImportProblem:
    """Return an error of one field as the problem of a line."""
    return ImportProblem(line=line, field=error.field, message=error.message, advice=error.advice)


def _content_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _split(
    lines: list[tuple[int, str]], problems: list[ImportProblem]
) -> Iterator[tuple[int, dict[str, str]]]:
    header = _find_header(lines[0][1])
    if header is None:
        yield from _split_by(lines, _colon_fields, problems)
        return
    delimiter, columns = header
    wrong = list(_header_problems(lines[0][0], columns))
    if wrong:
        problems += wrong
        return
    yield from _split_by(lines[1:], lambda line: _csv_fields(line, delimiter, columns), problems)


def _split_by(
    lines: Iterable[tuple[int, str]],
    read: Callable[[str], dict[str, str]],
    problems: list[ImportProblem],
) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in lines:
        try:
            yield number, read(line)
        except InputError as error:
            problems.append(problem_of(number, error))


def _find_header(line: str) -> tuple[str, list[str]] | None:
    """Return the delimiter and the columns where a line is a header."""
    for delimiter in _DELIMITERS:
        cells = [cell.strip().strip('"').strip().lower() for cell in line.split(delimiter)]
        columns = [_ALIASES.get(cell.replace(" ", "_"), cell.replace(" ", "_")) for cell in cells]
        if "username" in columns and ":" not in line:
            return delimiter, columns
    return None


def _header_problems(line: int, columns: list[str]) -> Iterator[ImportProblem]:
    known = ", ".join(COLUMNS)
    for column in columns:
        if column not in COLUMNS:
            named = f"The header names a column “{column[:40]}” that is not known."
            yield ImportProblem(
                line=line, field=column[:40], message=named, advice=f"Known are: {known}."
            )
    for column in COLUMNS:
        if columns.count(column) > 1:
            message = f"The header names the column “{column}” twice."
            yield ImportProblem(line=line, field=column, message=message)
    for column in _REQUIRED:
        if column not in columns:
            message = f"The header lacks the column “{column}”."
            yield ImportProblem(line=line, field=column, message=message)


def _csv_fields(line: str, delimiter: str, columns: list[str]) -> dict[str, str]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raise InputError(
            "The quotes in this line do not match.",
            field="line",
            advice="Put a field with quotes in it into quotes, and write each inner quote twice.",
        ) from None
    if len(cells) < len(columns):
        raise InputError(
            f"The line has {len(cells)} fields; the header names {len(columns)}.",
            field=columns[len(cells)],
            advice="Leave a field empty, but keep its separator.",
        )
    if len(cells) > len(columns):
        raise InputError(
            f"The line has {len(cells)} fields; the header names {len(columns)}.",
            field="line",
            advice="Put a field that contains the separator into quotes.",
        )
    return dict(zip(columns, cells, strict=True))


def _colon_fields(line: str) -> dict[str, str]:
    """Part `username:password[:totp][:proxy address]`; the address may contain colons itself."""
    line = line.strip()
    proxy = ""
    if found := _PROXY_PART.search(line):
        line, proxy = line[: found.start()], found[1]
    parts = line.split(":")
    if len(parts) == 1:
        raise InputError(
            "The line has too few fields: the password is missing.",
            field="password",
            advice=_COLON_SHAPE,
        )
    if len(parts) > _MOST_COLON_PARTS:
        raise InputError(
            "The line has too many fields.",
            field="line",
            advice=f"{_COLON_SHAPE} For a password with a colon in it use CSV with a header line.",
        )
    totp = parts[2] if len(parts) == _MOST_COLON_PARTS else ""
    return {"username": parts[0], "password": parts[1], "totp": totp, "proxy": proxy}


def _read_line(
    line: int, values: dict[str, str], problems: list[ImportProblem]
) -> ParsedAccount | None:
    """Read every field of a line, so that all its problems are told at once."""
    before = len(problems)

    def read(column: str, reader: Callable[[str], object]) -> object:
        try:
            return reader(values.get(column, ""))
        except InputError as error:
            problems.append(problem_of(line, error))
            return None

    found = {
        "username": read("username", read_username),
        "password": read("password", read_password),
        "totp_seed": read("totp", read_totp_seed),
        "full_name": read("full_name", read_full_name),
        "tags": read("tags", read_tags),
        "proxy": read("proxy", _read_proxy),
        "driver": read("driver", read_driver),
    }
    if len(problems) > before:
        return None
    return ParsedAccount(line=line, **found)  # type: ignore[arg-type] # each reader gives its type


def _read_proxy(text: str) -> ProxyAddress | None:
    return parse_proxy_url(text) if text.strip() else None


def _clashes(accounts: Iterable[ParsedAccount]) -> Iterator[ImportProblem]:
    first: dict[str, int] = {}
    proxies: dict[tuple[str, str], ParsedAccount] = {}
    for account in accounts:
        name = account.username
        if name in first:
            yield ImportProblem(
                line=account.line,
                field="username",
                message=f"The account {name} is already in line {first[name]}.",
                advice="Remove one of the two lines.",
            )
        first.setdefault(name, account.line)
        if account.proxy is None:
            continue
        other = proxies.setdefault((account.proxy.url, account.proxy.username), account)
        if other.proxy and other.proxy.password != account.proxy.password:
            yield ImportProblem(
                line=account.line,
                field="proxy",
                message=f"The proxy has another password than in line {other.line}.",
                advice="Give one password for one user name of a proxy.",
            )
