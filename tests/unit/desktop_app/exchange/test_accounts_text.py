"""What people paste: every shape that is meant, and every mistake with its line and field."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.accounts import DriverName, Platform
from desktop_app.contract.accounts import AccountRow
from desktop_app.exchange.accounts_text import ParsedAccount, parse_accounts, write_accounts

SEED = "JBSWY3DPEHPK3PXP"
SECRET = "kelp-forest-4711"


def one(text: str) -> ParsedAccount:
    parsed = parse_accounts(text)
    assert parsed.problems == ()
    (account,) = parsed.accounts
    return account


def problems(text: str) -> list[tuple[int, str]]:
    parsed = parse_accounts(text)
    assert all(problem.message for problem in parsed.problems)
    assert SECRET not in repr(parsed)
    assert SECRET not in "".join(p.message + p.advice + p.field for p in parsed.problems)
    return [(problem.line, problem.field) for problem in parsed.problems]


def secret(account: ParsedAccount) -> str:
    return account.password.get_secret_value()


def test_csv_in_any_order_of_columns() -> None:
    account = one(
        "\ufeffTags;Password;Username;Proxy;TOTP;Full name;Driver\r\n"
        "# the harbour\r\n\r\n"
        'north|sea;"a;""b""";@Harbour.1;socks5://me:p%40ss@127.0.0.1:1080;'
        f"{SEED};Old Harbour;browser\r\n"
    )
    assert (account.line, account.username, secret(account)) == (4, "harbour.1", 'a;"b"')
    assert account.tags == {"north", "sea"}
    assert account.full_name == "Old Harbour"
    assert account.driver is DriverName.BROWSER
    assert account.totp_seed is not None
    assert account.totp_seed.get_secret_value() == SEED
    assert account.proxy is not None
    assert (account.proxy.url, account.proxy.username) == ("socks5://127.0.0.1:1080", "me")
    assert account.proxy.password is not None
    assert account.proxy.password.get_secret_value() == "p@ss"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_each_delimiter(delimiter: str) -> None:
    account = one(f"username{delimiter}password\nharbour{delimiter}{SECRET}\n")
    assert (account.username, secret(account)) == ("harbour", SECRET)


@pytest.mark.parametrize(
    ("line", "has_totp", "proxy"),
    [
        (f"harbour:{SECRET}", False, None),
        (f"harbour:{SECRET}:{SEED}", True, None),
        (f"harbour:{SECRET}:JBSW Y3DP ehpk-3pxp", True, None),
        (f"harbour:{SECRET}:{SEED}:http://127.0.0.1:3128", True, "http://127.0.0.1:3128"),
        (f"harbour:{SECRET}::http://u:p@[::1]:3128", False, "http://[::1]:3128"),
        (f"harbour:{SECRET}:https://u:p@proxy.test:443/", False, "https://proxy.test:443"),
    ],
)
def test_colon_lines(line: str, has_totp: bool, proxy: str | None) -> None:
    account = one(line)
    assert (account.username, secret(account)) == ("harbour", SECRET)
    assert (account.totp_seed is not None) is has_totp
    assert (account.proxy.url if account.proxy else None) == proxy


def test_a_whole_otpauth_address_gives_its_seed() -> None:
    account = one(
        f"username,password,totp\nharbour,{SECRET},otpauth://totp/x?secret={SEED}&issuer=y"
    )
    assert account.totp_seed is not None
    assert account.totp_seed.get_secret_value() == SEED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, "text")]),
        ("# only a comment\n\n", [(1, "text")]),
        ("harbour", [(1, "password")]),
        (f"a:{SECRET}\n\nharbour\n", [(3, "password")]),
        (f"harbour:{SECRET}:x:y:z", [(1, "line")]),
        ("harbour:", [(1, "password")]),
        (f":{SECRET}", [(1, "username")]),
        (f"har bour:{SECRET}", [(1, "username")]),
        (f"{'a' * 31}:{SECRET}", [(1, "username")]),
        (f"harbour:{SECRET}:not-base-32!", [(1, "totp")]),
        (f"harbour:{SECRET}:123456", [(1, "totp")]),
        (f"harbour:{SECRET}:JBSWY3DP", [(1, "totp")]),
        (f"harbour:x::ftp://u:{SECRET}@h:1", [(1, "proxy")]),
        (f"harbour:x::http://u:{SECRET}@h", [(1, "proxy")]),
        (f"harbour:x::http://u:{SECRET}@h:99999", [(1, "proxy")]),
        (f"harbour:x::http://u:{SECRET}@:3128", [(1, "proxy")]),
        (f"harbour:x::http://h:1/{SECRET}", [(1, "proxy")]),
        (f"username,password\nharbour,{SECRET},x", [(2, "line")]),
        (f"username,password,totp\nharbour,{SECRET}", [(2, "totp")]),
        (f'username,password\nharbour,"{SECRET}', [(2, "line")]),
        (f"username,password,driver\nharbour,{SECRET},telepathy", [(2, "driver")]),
        (f"username,password,tags\nharbour,{SECRET},{'t' * 41}", [(2, "tags")]),
        (f"username,password,full_name\nharbour,{SECRET},{'n' * 65}", [(2, "full_name")]),
        (f"username,passwort\nharbour,{SECRET}", [(1, "passwort"), (1, "password")]),
        (f"username,password,password\nharbour,{SECRET},x", [(1, "password")]),
        (f"a:{SECRET}\nb:x\n@A:{SECRET}", [(3, "username")]),
        (f"a:x::http://u:{SECRET}@h:1\nb:x::http://u:other@h:1", [(2, "proxy")]),
        (f"HAR BOUR:{SECRET}:1:ftp://h", [(1, "username"), (1, "totp"), (1, "proxy")]),
    ],
)
def test_each_mistake_names_its_line_and_field(text: str, expected: list[tuple[int, str]]) -> None:
    assert problems(text) == expected


def test_good_lines_are_told_beside_bad_ones() -> None:
    parsed = parse_accounts(f"a:{SECRET}\nb\nc:{SECRET}\n")
    assert [account.username for account in parsed.accounts] == ["a", "c"]
    assert len(parsed.problems) == 1


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    parsed = parse_accounts(text)
    assert parsed.accounts or parsed.problems


@given(st.lists(st.text(alphabet="abc,;\"' é:#|", min_size=1, max_size=12), min_size=1, max_size=5))
def test_passwords_survive_csv_as_written(passwords: list[str]) -> None:
    passwords = [password for password in passwords if password.strip()]
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_ALL)
    writer.writerow(["username", "password"])
    writer.writerows([f"user{n}", password] for n, password in enumerate(passwords))
    parsed = parse_accounts(output.getvalue())
    assert parsed.problems == () or not passwords
    assert [account.password.get_secret_value() for account in parsed.accounts] == passwords


def test_an_export_has_no_secret_column() -> None:
    row = AccountRow(
        id="1",
        platform=Platform.INSTAGRAM,
        username="harbour",
        full_name='Old "Harbour", north',
        tags=["a", "b"],
        has_password=True,
        driver=DriverName.BROWSER,
        created_at=1.0,
    )
    header, line = csv.reader(io.StringIO(write_accounts([row])))
    found = dict(zip(header, line, strict=True))
    assert found["full_name"] == 'Old "Harbour", north'
    assert found["tags"] == "a|b"
    assert not {"password", "totp"} & found.keys()
