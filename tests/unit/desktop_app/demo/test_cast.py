import csv
import io

from common.domain.accounts import DriverName
from desktop_app.demo.cast import new_cast


def test_the_cast_is_what_the_voyage_promises() -> None:
    members = new_cast().members
    assert len({member.username for member in members}) == 24
    assert len({member.tag for member in members}) == 3
    assert sum(bool(member.totp_seed) for member in members) == 8
    assert sum(member.driver is DriverName.PRIVATE_API for member in members) == 16
    assert sum(member.driver is DriverName.BROWSER for member in members) == 8
    proxied = [member for member in members if member.behind_proxy]
    assert len({(member.driver, bool(member.totp_seed)) for member in proxied}) == 4
    assert len(proxied) == 4


def test_secrets_are_fresh_each_time_and_never_in_a_repr() -> None:
    one, other = new_cast(), new_cast()
    assert not {m.password for m in one.members} & {m.password for m in other.members}
    assert one.members[0].password not in repr(one) + repr(one.members[0])


def test_the_import_carries_what_the_platform_was_seeded_with() -> None:
    cast = new_cast()
    rows = list(csv.DictReader(io.StringIO(cast.import_text("http://127.0.0.1:3128"))))
    seeded = {account["username"]: account for account in cast.platform_accounts()}
    for row in rows:
        account = seeded[row["username"]]
        assert row["password"] == account["password"]
        assert row["totp"] == account.get("totp_seed", "")
        assert bool(row["proxy"]) == ("require_proxy" in account)
    assert any(cast.proxy_password in row["proxy"] for row in rows)
