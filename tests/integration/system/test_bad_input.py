"""Bad input at the command line and at the local API: named exactly, and nothing half-applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from common.domain.states import ItemState, SignInState
from desktop_app.contract.accounts import EditAccounts
from desktop_app.contract.media import ImportMedia
from desktop_app.contract.runs import ItemRow, PreflightProblem
from tests.support.command_line import Said, flotilla
from tests.support.driving import no_proxy_listening
from tests.support.practice_process import TOTP_SEED
from tests.support.sample_media import make_photo, make_reel
from tests.support.system import Member, System, states_of

SECRET = "never-to-be-repeated"
FREE_TOTP_SEED = "KRSXG5CTMVRXEZLUKRSXG5CT"
"""Valid base32, and not the seed that the platform has."""


async def _import(system: System, text: str) -> Said:
    return await flotilla(
        system.core.data,
        *("accounts", "import", "-", "--platform", "practice"),
        *("--platform-url", system.practice.url, "--yes-i-may-manage-these"),
        typed=text,
    )


async def test_every_bad_line_of_an_import_is_named_and_none_is_imported(shared: System) -> None:
    async with shared.core.client() as client:
        await shared.enrol(client, [Member(username="known")])
        before = (await client.accounts()).total, (await client.proxies()).total
        text = "\n".join(
            [
                f"fine_one:{SECRET}",
                "too_short",
                f"fine_one:{SECRET}",
                f"known:{SECRET}",
                f"bad_seed:{SECRET}:not-base32-018",
                f"bad_proxy:{SECRET}:ftp://user:{SECRET}@127.0.0.1:1",
            ]
        )

        said = await _import(shared, text)

        assert said.status == 1
        assert not said.value["applied"]
        problems = {each["line"]: each for each in said.value["problems"]}
        assert {line: each["field"] for line, each in problems.items()} == {
            2: "password",
            3: "username",
            4: "username",
            5: "totp",
            6: "proxy",
        }
        assert "line 1" in problems[3]["message"]
        assert "already in this store" in problems[4]["message"]
        assert all(each["advice"] for each in problems.values())
        assert SECRET not in said.output + said.errors
        assert ((await client.accounts()).total, (await client.proxies()).total) == before


async def test_csv_line_with_too_few_fields_is_named(shared: System) -> None:
    said = await _import(shared, f"username,password,tags\nlena,{SECRET},blue\nmona,{SECRET}\n")
    assert said.status == 1
    (problem,) = said.value["problems"]
    assert (problem["line"], problem["field"]) == (3, "tags")
    assert problem["advice"]
    async with shared.core.client() as client:
        assert (await client.accounts(search="lena")).total == 0


async def test_import_that_nobody_vouches_for_or_that_cannot_be_read(shared: System) -> None:
    data = shared.core.data
    unconfirmed = await flotilla(data, "accounts", "import", "-", typed=f"vera:{SECRET}")
    assert unconfirmed.status == 2
    assert unconfirmed.error["field"] == "confirmed_authority"
    missing = await flotilla(data, "accounts", "import", "/nowhere/accounts.csv")
    assert missing.status == 2
    assert "/nowhere/accounts.csv" in missing.error["message"]
    empty = await _import(shared, "\n# nothing but a remark\n")
    assert empty.value["problems"][0]["advice"]


async def test_unusable_media_is_refused_by_name_and_the_rest_is_added(
    shared: System, tmp_path: Path
) -> None:
    good = make_photo(tmp_path / "good.jpg", 200)
    bad = {
        "empty.jpg": b"",
        "text.jpg": b"this is no photo at all",
        "photo.mp4": good.read_bytes(),
        "broken.jpg": good.read_bytes()[:3000],
        "broken.mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(2000),
        "page.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    folder = tmp_path / "folder.jpg"
    folder.mkdir()
    names = [*bad, "missing.jpg", "folder.jpg", "good.jpg"]

    said = await flotilla(shared.core.data, "media", "add", *(str(tmp_path / n) for n in names))

    assert said.status == 1
    assert [row["name"] for row in said.value["rows"]] == ["good.jpg"]
    refused = {Path(each["field"]).name: each for each in said.value["problems"]}
    assert refused.keys() == set(names) - {"good.jpg"}
    for name, problem in refused.items():
        assert name in problem["message"], problem
        assert problem["advice"], problem
    kept = sorted(path.name for path in (shared.core.data / "media").rglob("*") if path.is_file())
    async with shared.core.client() as client:
        library = (await client.media()).rows
    assert len(kept) == len(library), "what was refused left something behind"


@pytest.mark.parametrize(
    ("caption", "says"),
    [("x" * 2201, "2201 characters"), (" ".join(f"#t{n}" for n in range(31)), "31 hashtags")],
    ids=["too long", "too many hashtags"],
)
async def test_caption_over_a_limit_starts_nothing(shared: System, caption: str, says: str) -> None:
    async with shared.core.client() as client:
        name = f"caption_{len(caption)}"
        await shared.enrol(client, [Member(username=name)])
        photos = await shared.photos(client, 1)
        runs = (await client.runs()).total
        started = await shared.judge(
            client,
            "bulk_upload",
            [name],
            posts=[{"media": photos}],
            distribution="same_to_all",
            caption=caption,
        )
        assert started.run_id is None
        problem = _error(started.preflight.problems, says)
        assert problem.field == "caption"
        assert problem.username == name
        assert problem.post == 1
        assert (await client.runs()).total == runs


async def test_reel_of_two_seconds_starts_nothing(shared: System, tmp_path: Path) -> None:
    reel = make_reel(tmp_path / "short.mp4", seconds=2.0)
    async with shared.core.client() as client:
        await shared.enrol(client, [Member(username="short_reel")])
        added = await client.import_media(ImportMedia(paths=[str(reel)]))
        started = await shared.judge(
            client,
            "bulk_upload",
            ["short_reel"],
            posts=[{"media": [added.rows[0].sha256]}],
            distribution="same_to_all",
        )
        assert started.run_id is None
        problem = _error(started.preflight.problems, "2.0 s")
        assert problem.subject == "short.mp4"


async def test_task_for_nobody_or_with_unknown_words_is_refused(shared: System) -> None:
    data = shared.core.data
    nobody = await flotilla(data, "tasks", "run", "bulk-login", "--target", "user:nobody_here")
    assert nobody.status == 1
    assert "nobody_here" in nobody.value["preflight"]["problems"][0]["message"]
    unread = await flotilla(data, "tasks", "run", "bulk-login", "--target", "everyone")
    assert unread.status == 2
    assert unread.error["advice"]
    typed = '{"posts": [], "colour": "blue"}'
    odd = await flotilla(
        data,
        *("tasks", "run", "bulk-upload", "--target", "user:nobody_here", "--parameters", "-"),
        typed=typed,
    )
    assert odd.status == 1
    fields = {each["field"] for each in odd.value["preflight"]["problems"]}
    assert {"posts", "colour"} <= fields


async def test_wrong_password_reaches_the_platform_once_and_its_correction_works(
    shared: System,
) -> None:
    name = "mistyped"
    right = Member(username=name)
    shared.practice.seed([right.seed()])
    async with shared.core.client() as client:
        await shared.bring_in(client, [Member(username=name, password=SECRET)])
        run_id = await shared.start(client, "bulk_login", [name])
        items = await shared.until_at_rest(client, run_id)

        _failed(items, name, "credentials_refused")
        assert len(_of(shared, "password_submitted", name)) == 1
        # Trying again unchanged is the operator's decision: one more attempt, never two.
        account = (await client.accounts(search=name)).rows[0]
        assert account.error
        assert account.sign_in is SignInState.REFUSED

        await client.edit_accounts(
            EditAccounts(ids=[account.id], password=SecretStr(right.password))
        )
        changed = await shared.control(client, run_id, "retry")
        assert changed.ids == [items[0].id]
        items = await shared.until_at_rest(client, run_id)
        assert states_of(items) == {ItemState.DONE: 1}
        assert len(_of(shared, "password_submitted", name)) == 2
        account = (await client.accounts(search=name)).rows[0]
        assert account.error is None
        assert account.hold is None


async def test_wrong_seed_is_refused_after_one_password(shared: System) -> None:
    name = "wrong_seed"
    shared.practice.seed([Member(username=name, totp_seed=TOTP_SEED).seed()])
    async with shared.core.client() as client:
        await shared.bring_in(client, [Member(username=name, totp_seed=FREE_TOTP_SEED)])
        items = await shared.sign_in(client, [name])
        _failed(items, name, "second_factor_refused")
        assert len(_of(shared, "password_submitted", name)) == 1
        assert not _of(shared, "signed_in", name)


async def test_proxy_that_is_dead_or_refuses_keeps_the_account_off_the_network(
    shared: System,
) -> None:
    shared.practice.add_proxy("guarded", "crew", "right-proxy-word")
    wrong = shared.practice.proxy_url.replace("http://", f"http://crew:{SECRET}@")
    with no_proxy_listening() as dead:
        async with shared.core.client() as client:
            await shared.enrol(
                client,
                [
                    Member(username="behind_dead", proxy=dead),
                    Member(username="behind_wrong", proxy=wrong),
                ],
            )
            items = await shared.sign_in(client, ["behind_dead", "behind_wrong"])
            for item in items:
                _failed([item], item.username, "proxy_failed")
            for name in ("behind_dead", "behind_wrong"):
                assert not _of(shared, "password_submitted", name)


def _of(system: System, kind: str, username: str) -> list[dict[str, Any]]:
    return [each for each in system.practice.ledger(kind=kind) if each["account"] == username]


def _error(problems: list[PreflightProblem], says: str) -> PreflightProblem:
    found = [each for each in problems if each.severity == "error" and says in each.message]
    assert len(found) == 1, problems
    return found[0]


def _failed(items: list[ItemRow], username: str, code: str) -> None:
    (item,) = items
    assert item.state is ItemState.FAILED, item
    assert item.error
    assert item.error.code == code, item.error
    assert username in item.error.message
    assert item.error.advice
    assert SECRET not in item.error.model_dump_json()
