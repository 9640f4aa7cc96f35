"""Importing, editing, holding and deleting accounts, as a client commands it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection

from common.domain.accounts import DriverName, Platform
from common.domain.states import ActionState, ItemState
from common.errors import InputError
from desktop_app.contract.accounts import (
    DeleteAccounts,
    EditAccounts,
    HoldAccounts,
    ImportAccounts,
    ImportResult,
)
from desktop_app.core.accounts import AccountService
from desktop_app.core.changes import ChangeHub
from desktop_app.core.proxies import ProxyService
from desktop_app.store import intents, items, ledger, rehoming, specs
from desktop_app.store.accounts import AccountQuery
from desktop_app.store.store import Store
from tests.support.stored import add_run, upload_items

PRACTICE = "http://127.0.0.1:5000"
SEED = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def service(store: Store, hub: ChangeHub) -> AccountService:
    return AccountService(store, hub, clock=lambda: 7.0)


def command(text: str, **more: object) -> ImportAccounts:
    values: dict[str, object] = {
        "text": text,
        "platform": Platform.PRACTICE,
        "platform_url": PRACTICE,
        "confirmed_authority": True,
    }
    return ImportAccounts.model_validate(values | more)


async def add(service: AccountService, text: str) -> ImportResult:
    result = await service.import_text(command(text))
    assert result.applied, result.problems
    return result


async def usernames(service: AccountService) -> list[str]:
    return [row.username for row in (await service.page(AccountQuery())).rows]


async def test_an_import_stores_accounts_proxies_and_tags(
    service: AccountService, store: Store, hub: ChangeHub
) -> None:
    text = (
        "username,password,totp,tags,proxy,driver\n"
        f"cove,one,{SEED},north,http://me:pw@127.0.0.1:3128,browser\n"
        "anchor,two,,,http://me:pw@127.0.0.1:3128,\n"
    )
    before = hub.revision
    result = await service.import_text(command(text, tags=["morning", "  "]))
    assert (result.applied, result.accounts, result.proxies, result.problems) == (True, 2, 1, [])
    assert result.revision > before
    page = await service.page(AccountQuery())
    assert [row.username for row in page.rows] == ["anchor", "cove"]
    assert page.rows[1].tags == ["morning", "north"]
    assert page.rows[1].created_at == 7.0
    (proxy,) = (await ProxyService(store, hub).page()).rows
    assert (proxy.url, proxy.username, proxy.accounts) == ("http://127.0.0.1:3128", "me", 2)
    access = await store.read(
        lambda c: specs.account_access(c, store.vault, result.ids[0], DriverName.BROWSER)
    )
    assert access.username == "cove"
    assert set(access.secrets()) == {"one", SEED, "pw"}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("anchor", "password"),
        ("anchor:pw:bad-seed!", "totp"),
        ("anchor:pw::ftp://x:1", "proxy"),
        ("Cove:pw", "username"),
        ("bay:pw", "username"),
    ],
)
async def test_nothing_is_applied_while_a_line_has_a_problem(
    service: AccountService, hub: ChangeHub, line: str, field: str
) -> None:
    await add(service, "bay:pw")
    before = hub.revision
    result = await service.import_text(command(f"cove:pw:{SEED}:http://127.0.0.1:1\n{line}\n"))
    assert not result.applied
    assert [(problem.line, problem.field) for problem in result.problems] == [(2, field)]
    assert await usernames(service) == ["bay"]
    assert hub.revision == before


async def test_a_rehearsal_of_an_import_changes_nothing(service: AccountService) -> None:
    dry = command("cove:pw::http://127.0.0.1:1", dry_run=True, confirmed_authority=False)
    result = await service.import_text(dry)
    assert (result.applied, result.accounts, result.proxies, result.ids) == (False, 1, 1, [])
    assert await usernames(service) == []


async def test_an_import_needs_the_operators_word(service: AccountService) -> None:
    with pytest.raises(InputError) as caught:
        await service.import_text(command("cove:pw", confirmed_authority=False))
    assert caught.value.field == "confirmed_authority"
    assert await usernames(service) == []


@pytest.mark.parametrize(
    ("platform", "url"),
    [
        (Platform.PRACTICE, ""),
        (Platform.PRACTICE, "https://www.instagram.com"),
        (Platform.PRACTICE, "http://10.0.0.1:5000"),
        (Platform.PRACTICE, "file:///etc/passwd"),
        (Platform.PRACTICE, "http://[bad"),
        (Platform.INSTAGRAM, "http://127.0.0.1:5000"),
    ],
)
async def test_practice_accounts_live_on_this_machine_and_no_others_have_an_address(
    service: AccountService, platform: Platform, url: str
) -> None:
    with pytest.raises(InputError) as caught:
        await service.import_text(command("cove:pw", platform=platform, platform_url=url))
    assert caught.value.field == "platform_url"


async def test_one_name_may_exist_on_two_platforms(service: AccountService) -> None:
    await add(service, "cove:pw")
    other = command("cove:pw", platform=Platform.INSTAGRAM, platform_url="")
    assert (await service.import_text(other)).applied


async def test_an_edit_changes_what_it_names(service: AccountService, store: Store) -> None:
    ids = (await add(service, "cove:pw\nanchor:pw")).ids
    changed = await service.edit(
        EditAccounts(
            ids=[*ids, "01UNKNOWN"],
            add_tags=["north"],
            driver=DriverName.BROWSER,
            proxy_url=SecretStr("http://me:pw@127.0.0.1:3128"),
            password=SecretStr("new password"),
            totp_seed=SecretStr("jbsw y3dp ehpk 3pxp"),
            full_name="  Old   Cove ",
        )
    )
    assert changed.ids == ids
    assert changed.refused["01UNKNOWN"].code == "not_found"
    rows = (await service.page(AccountQuery())).rows
    assert all(row.tags == ["north"] and row.proxy == "http://127.0.0.1:3128" for row in rows)
    assert {row.full_name for row in rows} == {"Old Cove"}
    access = await store.read(
        lambda c: specs.account_access(c, store.vault, ids[0], DriverName.BROWSER)
    )
    assert set(access.secrets()) == {"new password", SEED, "pw"}
    await service.edit(
        EditAccounts(
            ids=ids,
            remove_tags=["north"],
            driver="automatic",
            proxy_url=SecretStr(""),
            totp_seed=SecretStr(""),
        )
    )
    (row, _) = (await service.page(AccountQuery())).rows
    assert (row.tags, row.driver, row.proxy, row.has_totp, row.has_password) == (
        [],
        None,
        "",
        False,
        True,
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"proxy_url": "not a proxy"},
        {"totp_seed": "123456"},
        {"add_tags": ["x" * 41]},
        {"full_name": "x" * 65},
        {"password": "  "},
    ],
)
async def test_a_bad_value_changes_nothing(service: AccountService, bad: dict[str, object]) -> None:
    ids = (await add(service, "cove:pw")).ids
    with pytest.raises(InputError):
        await service.edit(EditAccounts.model_validate({"ids": ids, "driver": "browser"} | bad))
    assert (await service.page(AccountQuery())).rows[0].driver is None


async def test_hold_and_let_go(service: AccountService) -> None:
    ids = (await add(service, "cove:pw")).ids
    await service.hold(HoldAccounts(ids=ids, hold=True, reason="sold"))
    (row,) = (await service.page(AccountQuery())).rows
    assert row.hold is not None
    assert (row.hold.reason, row.hold.at) == ("sold", 7.0)
    await service.hold(HoldAccounts(ids=ids, hold=False))
    assert (await service.page(AccountQuery())).rows[0].hold is None


async def test_an_account_with_work_to_do_is_not_deleted(
    service: AccountService, store: Store, hub: ChangeHub
) -> None:
    busy, idle = (await add(service, "cove:pw\nanchor:pw")).ids
    await store.write(lambda c: add_run(c, upload_items([busy], None)))
    changed = await service.delete(DeleteAccounts(ids=[busy, idle, "01UNKNOWN"]))
    assert changed.ids == [idle]
    assert {id_: error.code for id_, error in changed.refused.items()} == {
        busy: "conflict",
        "01UNKNOWN": "not_found",
    }
    assert await usernames(service) == ["cove"]


async def test_an_account_that_is_deleted_and_imported_again_is_the_same_one(
    service: AccountService, store: Store
) -> None:
    (id_,) = (await add(service, "harbour:one\n")).ids
    run = await store.write(lambda c: add_run(c, upload_items([id_], None)))
    await store.write(_publish_all(run[0]))
    await service.delete(DeleteAccounts(ids=[id_]))
    assert await usernames(service) == []
    assert (await add(service, "Harbour:two\n")).ids == [id_]
    (item,) = await store.read(lambda c: items.of_run(c, run[0]))
    assert (await store.read(lambda c: ledger.of_account(c, id_))).total == 1
    _, again = await store.write(lambda c: add_run(c, upload_items([id_], None)))
    assert "already published" in next(iter(again.refused.values())).message
    assert item.state is ItemState.DONE


def _publish_all(run_id: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        for item in items.of_run(connection, run_id):
            intent = intents.record(connection, str(item.intent_id))
            intents.confirm(connection, intent, "31_9", "http://x/p/31/")
            confirmed = ActionState.CONFIRMED
            ledger.note_here(connection, intent.id, confirmed, by="ada", note="", at=1.0)
            rehoming.finish(connection, [item], at=1.0)

    return work
