"""Accounts in the store: lists, tags, holds, agents and their fences."""

from __future__ import annotations

from pydantic import SecretStr
from sqlalchemy import Connection

from common.domain.accounts import DriverName, Platform
from common.domain.ids import new_id
from common.domain.states import SignInState
from desktop_app.store import accounts, proxies
from desktop_app.store.accounts import AccountQuery, NewAccount
from desktop_app.store.vault import Vault
from tests.support.stored import add_accounts, add_agent


def names(connection: Connection, query: AccountQuery) -> list[str]:
    return [row.username for row in accounts.page(connection, query)[0]]


def test_a_page_has_what_was_stored_and_no_secret(db: Connection, vault: Vault) -> None:
    proxy = proxies.ensure(db, vault, "http://127.0.0.1:3128", "me", SecretStr("pw"))
    (id_,) = add_accounts(
        db, vault, ["harbour"], full_name="Harbour", tags=frozenset({"b", "a"}), proxy_id=proxy
    )
    (row,), total = accounts.page(db, AccountQuery())
    assert (total, row.id, row.tags, row.proxy) == (1, id_, ["a", "b"], "http://127.0.0.1:3128")
    assert (row.has_password, row.has_totp, row.sign_in) == (True, True, SignInState.UNKNOWN)
    assert row.profile_url == "http://127.0.0.1:1/harbour/"
    assert row.hold is None


def test_search_tag_sort_and_slice(db: Connection, vault: Vault) -> None:
    add_accounts(db, vault, ["cove", "anchor"], tags=frozenset({"north"}))
    add_accounts(db, vault, ["bay_100%"], full_name="The Anchor Inn")
    assert names(db, AccountQuery()) == ["anchor", "bay_100%", "cove"]
    assert names(db, AccountQuery(descending=True)) == ["cove", "bay_100%", "anchor"]
    assert names(db, AccountQuery(search="@ANCHOR")) == ["anchor", "bay_100%"]
    assert names(db, AccountQuery(search="0%")) == ["bay_100%"]
    assert names(db, AccountQuery(search="_")) == ["bay_100%"]
    assert names(db, AccountQuery(tag="north")) == ["anchor", "cove"]
    rows, total = accounts.page(db, AccountQuery(offset=1, limit=1))
    assert ([row.username for row in rows], total) == (["bay_100%"], 3)
    assert names(db, AccountQuery(held=True)) == []


def new_account(username: str, url: str = "http://127.0.0.1:1") -> NewAccount:
    return NewAccount(id=new_id(), platform=Platform.PRACTICE, platform_url=url, username=username)


def test_an_account_that_comes_back_has_its_old_id_and_a_higher_fence(
    db: Connection, vault: Vault
) -> None:
    (id_,) = add_accounts(db, vault, ["harbour"])
    accounts.raise_fences(db, {id_: 70})
    accounts.remove(db, [id_])
    back, other, elsewhere = accounts.with_former_ids(
        db, [new_account("harbour"), new_account("quay")]
    ) + accounts.with_former_ids(db, [new_account("harbour", "http://127.0.0.1:2")])
    assert back.id == id_
    assert id_ not in {other.id, elsewhere.id}
    accounts.insert(db, vault, [back], at=60.0)
    assert accounts.fences(db, [id_]) == {id_: 71}, "no agent has seen a higher one"
    accounts.remove(db, [id_])
    accounts.insert(db, vault, [back], at=60.0 * 100)
    assert accounts.fences(db, [id_]) == {id_: 100}


def test_case_makes_no_other_account(db: Connection, vault: Vault) -> None:
    first = new_account("harbour", "http://Localhost:1")
    accounts.insert(db, vault, [first], at=1.0)
    assert accounts.known_usernames(db, Platform.PRACTICE, "http://localhost:1") == {"harbour"}
    accounts.remove(db, [first.id])
    (back,) = accounts.with_former_ids(db, [new_account("Harbour", "http://localhost:1")])
    assert back.id == first.id
    assert accounts.with_former_ids(db, []) == []


def test_no_fence_is_given_again_that_a_lost_life_of_the_store_has_given(
    db: Connection, vault: Vault
) -> None:
    """A copy is brought back after an account has moved a few times since it was made."""
    ids = add_accounts(db, vault, ["harbour", "quay"])
    accounts.raise_fences(db, {ids[1]: 500})
    copied = accounts.fences(db, ids)
    used_since = {ids[0]: copied[ids[0]] + 7}
    accounts.renew_fences(db, at=60.0 * 100)
    found = accounts.fences(db, ids)
    assert found == {ids[0]: 100, ids[1]: 501}
    assert found[ids[0]] > used_since[ids[0]], "it moved less than once a minute"


def test_targets_name_each_account_once(db: Connection, vault: Vault) -> None:
    ids = add_accounts(db, vault, ["cove", "anchor"], tags=frozenset({"north"}))
    add_accounts(db, vault, ["bay"])
    found = accounts.targets(db, ids=[ids[0]], usernames=["Bay", "nobody"], tags=["north", "none"])
    assert [account.username for account in found] == ["anchor", "bay", "cove"]
    assert accounts.targets(db) == []


def test_more_accounts_than_a_statement_takes(db: Connection, vault: Vault) -> None:
    ids = add_accounts(db, vault, [f"user{n:04}" for n in range(1200)], tags=frozenset({"all"}))
    assert len(accounts.records(db, ids)) == 1200
    assert len(accounts.rows(db, ids)) == 1200
    assert all(row.tags == ["all"] for row in accounts.page(db, AccountQuery(limit=900))[0])


def test_an_account_that_changes_its_agent_gets_a_higher_fence(
    db: Connection, vault: Vault
) -> None:
    ids = add_accounts(db, vault, ["cove", "anchor"])
    first, second = add_agent(db, vault, "a" * 52), add_agent(db, vault, "b" * 52)
    accounts.assign(db, dict.fromkeys(ids, first))
    assert [record.fence for record in accounts.records(db, ids).values()] == [1, 1]
    accounts.assign(db, {ids[0]: second, ids[1]: first})
    found = accounts.records(db, ids)
    assert (found[ids[0]].fence, found[ids[0]].agent_id) == (2, second)
    assert (found[ids[1]].fence, found[ids[1]].agent_id) == (1, first)


def test_hold_and_release(db: Connection, vault: Vault) -> None:
    ids = add_accounts(db, vault, ["cove", "anchor"])
    accounts.hold(db, ids[:1], by=accounts.HELD_BY_OPERATOR, reason="new owner", at=5.0)
    (row,) = accounts.rows(db, ids[:1])
    assert row.hold is not None
    assert (row.hold.reason, row.hold.at) == ("new owner", 5.0)
    assert accounts.counts(db).held == 1
    assert names(db, AccountQuery(held=False)) == ["anchor"]
    accounts.release(db, ids)
    assert accounts.rows(db, ids[:1])[0].hold is None


def test_edits(db: Connection, vault: Vault) -> None:
    ids = add_accounts(db, vault, ["cove", "anchor"])
    accounts.set_fields(db, ids, {"driver": DriverName.BROWSER.value})
    accounts.set_secret(db, vault, ids[:1], "password", SecretStr(""))
    accounts.add_tags(db, {ids[0]: ["x", "y"], ids[1]: ["x"]})
    accounts.add_tags(db, {ids[0]: ["x"]})
    accounts.remove_tags(db, ids, ["y"])
    found = accounts.records(db, ids)
    assert found[ids[0]].driver is DriverName.BROWSER
    assert [found[id_].has_password for id_ in ids] == [False, True]
    assert accounts.tags_in_use(db) == {"x": 2}


def test_counts(db: Connection, vault: Vault) -> None:
    add_accounts(db, vault, ["cove", "anchor"])
    counts = accounts.counts(db)
    assert (counts.total, counts.practice, counts.held) == (2, 2, 0)
    assert counts.by_sign_in == {SignInState.UNKNOWN: 2}
    assert accounts.known_usernames(db, Platform.PRACTICE, "http://127.0.0.1:1") == {
        "cove",
        "anchor",
    }
    assert accounts.known_usernames(db, Platform.INSTAGRAM, "") == set()


def test_a_removed_account_takes_its_tags_along(db: Connection, vault: Vault) -> None:
    ids = add_accounts(db, vault, ["cove", "anchor"], tags=frozenset({"x"}))
    touched = accounts.remove(db, ids[:1])
    assert touched.removed == {"accounts": frozenset(ids[:1])}
    assert accounts.tags_in_use(db) == {"x": 1}
    assert accounts.rows(db, ids[:1]) == []


def test_the_same_proxy_is_stored_once_and_its_password_is_replaced(
    db: Connection, vault: Vault
) -> None:
    one = proxies.ensure(db, vault, "http://127.0.0.1:3128", "me", SecretStr("old"))
    assert proxies.ensure(db, vault, "http://127.0.0.1:3128", "me", SecretStr("new")) == one
    other = proxies.ensure(db, vault, "http://127.0.0.1:3128", "you", None)
    assert other != one
    add_accounts(db, vault, ["cove"], proxy_id=one)
    rows = {row.id: row for row in proxies.rows(db)}
    assert (rows[one].accounts, rows[one].has_password) == (1, True)
    assert (rows[other].accounts, rows[other].has_password) == (0, False)
    assert proxies.remove_unused(db, [one, other]).removed == {"proxies": frozenset({other})}
