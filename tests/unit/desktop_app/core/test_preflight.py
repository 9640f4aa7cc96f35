"""A whole batch is judged before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

from common.domain.accounts import DriverName, Platform
from common.domain.content import MediaKind
from common.domain.states import SignInState
from common.items import MediaRef
from common.limits.rules import load_limits
from common.tasks import bulk_login, bulk_upload
from common.tasks.task_type import TaskType
from desktop_app.contract.runs import PreflightProblem
from desktop_app.core.preflight import (
    AgentOption,
    Batch,
    BatchInput,
    judge,
    media_named_in,
    read_parameters,
)
from desktop_app.store.records import AccountRecord

PHOTO = "a" * 64
LOGIN = bulk_login.TASK_TYPE
UPLOAD = bulk_upload.TASK_TYPE


def account(name: str, **changes: Any) -> AccountRecord:
    values: dict[str, Any] = {
        "id": f"id-{name}", "platform": Platform.PRACTICE, "platform_url": "http://127.0.0.1:1",
        "username": name, "full_name": "", "user_id": "", "tags": (), "driver": None,
        "proxy_id": None, "agent_id": None, "fence": 0, "has_password": True, "has_totp": False,
        "sessions": frozenset({DriverName.PRIVATE_API}), "sign_in": SignInState.SIGNED_IN,
        "held": False,
    }  # fmt: skip
    return AccountRecord(**(values | changes))


def agent(name: str = "one", **changes: Any) -> AgentOption:
    values: dict[str, Any] = {
        "id": name, "name": name, "capacity": 1.0, "is_online": True,
        "drivers": frozenset({DriverName.PRIVATE_API, DriverName.BROWSER}),
        "tasks": frozenset({"bulk_login", "bulk_upload"}),
    }  # fmt: skip
    return AgentOption(**(values | changes))


def batch_of(
    task: TaskType,
    accounts: list[AccountRecord],
    agents: list[AgentOption],
    raw: dict[str, Any] | None = None,
) -> Batch:
    wanted = raw or {}
    if task is UPLOAD and raw is None:
        wanted = {"posts": [{"media": [PHOTO]}], "distribution": "same_to_all"}
    parameters, problems = read_parameters(task, wanted)
    assert parameters is not None, problems
    ref = MediaRef(
        sha256=PHOTO, size=1000, name="a.jpg", kind=MediaKind.PHOTO, width=1080, height=1350
    )
    given = BatchInput(
        task=task, accounts=accounts, agents=agents, media={PHOTO: ref},
        media_titles={PHOTO: "Dusk"}, limits=load_limits(),
    )  # fmt: skip
    return judge(parameters, given)


def messages(problems: tuple[PreflightProblem, ...], severity: str) -> list[str]:
    return [problem.message for problem in problems if problem.severity == severity]


def test_a_batch_without_problems_may_start() -> None:
    batch = batch_of(UPLOAD, [account("ada"), account("bob")], [agent()])
    assert batch.may_start
    assert not batch.problems
    assert [item.shown().username for item in batch.items] == ["ada", "bob"]
    assert batch.placements == {"id-ada": "one", "id-bob": "one"}


def test_an_account_stays_with_its_agent() -> None:
    settled = account("ada", agent_id="two")
    batch = batch_of(UPLOAD, [settled], [agent("one", capacity=99.0), agent("two", capacity=0.0)])
    assert [item.agent.id for item in batch.items] == ["two"]
    assert not batch.placements


def test_an_account_whose_agent_is_gone_gets_another() -> None:
    batch = batch_of(UPLOAD, [account("ada", agent_id="gone")], [agent("one")])
    assert batch.placements == {"id-ada": "one"}


def test_accounts_spread_over_agents_that_have_the_driver() -> None:
    accounts = [account(f"user{number}") for number in range(60)]
    api_only = agent("api", drivers=frozenset({DriverName.PRIVATE_API}))
    browser_only = agent("browser", drivers=frozenset({DriverName.BROWSER}))
    batch = batch_of(UPLOAD, accounts, [api_only, agent("both"), browser_only])
    assert {item.agent.id for item in batch.items} == {"api", "both"}


def test_a_held_account_is_left_out_and_named() -> None:
    held = account("ada", held=True, hold_reason="Resting.")
    batch = batch_of(UPLOAD, [held, account("bob")], [agent()])
    assert batch.may_start
    assert [item.account.username for item in batch.items] == ["bob"]
    assert messages(batch.problems, "warning") == ["@ada is held: Resting. It is left out."]


def test_a_sign_in_takes_an_account_that_the_platform_held() -> None:
    challenged = account("ada", held=True, held_by_platform=True)
    assert batch_of(LOGIN, [challenged], [agent()]).may_start
    assert not batch_of(LOGIN, [account("ada", held=True)], [agent()]).may_start


def test_an_account_without_a_password_cannot_be_signed_in() -> None:
    bare = account("ada", has_password=False, sessions=frozenset())
    batch = batch_of(LOGIN, [bare], [agent()])
    assert not batch.may_start
    assert messages(batch.problems, "error") == ["@ada has no password, so it cannot be signed in."]


def test_a_saved_session_needs_no_password_unless_forced() -> None:
    bare = account("ada", has_password=False)
    assert batch_of(LOGIN, [bare], [agent()]).may_start
    assert not batch_of(LOGIN, [bare], [agent()], {"force": True}).may_start


def test_an_account_without_a_session_is_warned_of_before_publishing() -> None:
    batch = batch_of(UPLOAD, [account("ada", sessions=frozenset())], [agent()])
    assert batch.may_start
    assert "Run a bulk login first." in messages(batch.problems, "warning")[0]


def test_without_an_agent_nothing_starts_and_it_is_said_once() -> None:
    batch = batch_of(UPLOAD, [account("ada"), account("bob")], [])
    assert not batch.may_start
    assert len(messages(batch.problems, "error")) == 1
    assert "flotilla-agent pair" in messages(batch.problems, "error")[0]


def test_an_agent_that_is_away_is_a_warning_with_the_number_of_items() -> None:
    batch = batch_of(UPLOAD, [account("ada"), account("bob")], [agent(is_online=False)])
    assert batch.may_start
    assert messages(batch.problems, "warning") == [
        "The agent one is not connected: 2 items wait for it."
    ]


def test_a_driver_that_no_agent_has_is_an_error_for_that_account() -> None:
    wants_browser = account("ada", driver=DriverName.BROWSER)
    api_only = agent(drivers=frozenset({DriverName.PRIVATE_API}))
    batch = batch_of(UPLOAD, [wants_browser], [api_only])
    problem = next(each for each in batch.problems if each.severity == "error")
    assert problem.username == "ada"
    assert "flotilla-agent doctor" in problem.message


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "posts"),
        ({"posts": [{"media": []}]}, "posts.0.media"),
        ({"posts": [{"media": [PHOTO]}], "typo": 1}, "typo"),
        ({"posts": [{"media": [PHOTO]}], "driver": "telepathy"}, "driver"),
    ],
)
def test_parameters_that_do_not_fit_name_their_field(raw: dict[str, Any], field: str) -> None:
    parameters, problems = read_parameters(UPLOAD, raw)
    assert parameters is None
    assert [problem.field for problem in problems] == [field]


def test_media_is_found_wherever_parameters_name_it() -> None:
    raw = {"posts": [{"media": [PHOTO, "b" * 64], "title": "no hash"}], "cover": "c" * 64}
    assert media_named_in(raw) == {PHOTO, "b" * 64, "c" * 64}
