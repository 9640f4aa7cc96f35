"""The real client signs in, stays signed in, and is refused where it has to be."""

from collections.abc import Callable
from typing import Any

import pytest
from instagrapi.exceptions import (
    BadPassword,
    ClientError,
    ClientNotFoundError,
    LoginRequired,
    SentryBlock,
    TwoFactorRequired,
    UnknownError,
)

from tests.support.practice_client import PracticeClient
from tests.support.practice_process import TOTP_SEED, PracticeProcess, SeededAccount

NewAccount = Callable[..., SeededAccount]
NewClient = Callable[..., PracticeClient]
SignedIn = tuple[PracticeClient, SeededAccount]


def of_account(practice: PracticeProcess, account: SeededAccount) -> list[dict[str, Any]]:
    return [record for record in practice.ledger() if record["account"] == account.username]


def kinds(practice: PracticeProcess, account: SeededAccount) -> list[str]:
    return [record["kind"] for record in of_account(practice, account)]


def test_a_password_signs_in_and_the_ledger_says_so(
    practice_platform: PracticeProcess, new_account: NewAccount, new_client: NewClient
) -> None:
    account, client = new_account(full_name="Ada", biography="Lamps"), new_client()
    assert client.login(account.username, account.password)
    me = client.account_info()
    assert (me.pk, me.username, me.full_name) == (str(account.user_id), account.username, "Ada")
    assert kinds(practice_platform, account) == [
        "account_created",
        "password_submitted",
        "signed_in",
    ]
    record = of_account(practice_platform, account)[-1]
    assert (record["source"], record["proxy"]) == ("private_api", None)
    assert "Instagram" in record["user_agent"]


def test_a_second_factor_is_asked_for_and_taken(
    practice_platform: PracticeProcess, new_account: NewAccount, new_client: NewClient
) -> None:
    account, client = new_account(totp_seed=TOTP_SEED), new_client()
    code = client.totp_generate_code(TOTP_SEED)
    assert client.login(account.username, account.password, verification_code=code)
    assert client.account_info().username == account.username


def test_without_a_code_a_second_factor_is_demanded(
    practice_platform: PracticeProcess, new_account: NewAccount, new_client: NewClient
) -> None:
    account = new_account(totp_seed=TOTP_SEED)
    with pytest.raises(TwoFactorRequired):
        new_client().login(account.username, account.password)
    assert "signed_in" not in kinds(practice_platform, account)


def test_a_wrong_code_is_refused(
    practice_platform: PracticeProcess, new_account: NewAccount, new_client: NewClient
) -> None:
    account = new_account(totp_seed=TOTP_SEED)
    with pytest.raises(UnknownError, match="security code"):
        new_client().login(account.username, account.password, verification_code="000000")
    assert kinds(practice_platform, account)[-1] == "sign_in_refused"
    assert of_account(practice_platform, account)[-1]["reason"] == "wrong_code"


def test_a_wrong_password_tempts_the_library_to_submit_it_three_times(
    practice_platform: PracticeProcess, new_account: NewAccount, new_client: NewClient
) -> None:
    account = new_account()
    with pytest.raises(BadPassword):
        new_client().login(account.username, "wrong")
    attempts = [
        record["reason"]
        for record in of_account(practice_platform, account)
        if record["kind"] == "password_submitted"
    ]
    assert attempts == ["wrong"] * 3


def test_the_older_route_signs_in_too_with_and_without_a_second_factor(
    new_account: NewAccount, new_client: NewClient
) -> None:
    plain, guarded = new_account(), new_account(totp_seed=TOTP_SEED)
    client = new_client()
    assert client.login_legacy(plain.username, plain.password)
    assert client.account_info().username == plain.username
    other = new_client()
    code = other.totp_generate_code(TOTP_SEED)
    assert other.login_legacy(guarded.username, guarded.password, verification_code=code)
    assert other.account_info().username == guarded.username


def test_saved_settings_need_no_password(
    practice_platform: PracticeProcess, signed_in: SignedIn, new_client: NewClient
) -> None:
    client, account = signed_in
    later = new_client(settings=client.get_settings())
    assert later.login(account.username, account.password)
    assert later.loopback.sent == ["GET /api/v1/accounts/current_user/"]
    assert kinds(practice_platform, account).count("password_submitted") == 1


def test_a_session_id_alone_signs_in(signed_in: SignedIn, new_client: NewClient) -> None:
    client, account = signed_in
    later = new_client()
    assert later.login_by_sessionid(client.authorization_data["sessionid"])
    assert later.username == account.username


def test_signing_out_ends_the_session(
    practice_platform: PracticeProcess, signed_in: SignedIn, new_client: NewClient
) -> None:
    client, account = signed_in
    copy = new_client(settings=client.get_settings())
    assert client.logout()
    assert kinds(practice_platform, account)[-1] == "signed_out"
    with pytest.raises(LoginRequired):
        copy.account_info()


def test_a_revoked_session_is_refused_everywhere(
    practice_platform: PracticeProcess, signed_in: SignedIn
) -> None:
    client, account = signed_in
    assert practice_platform.revoke_sessions(account.username) == 1
    assert kinds(practice_platform, account)[-1] == "session_revoked"
    for endpoint in (
        "accounts/current_user/",
        f"feed/user/{account.user_id}/",
        f"users/{account.user_id}/info/",
        "media/1/info/",
    ):
        with pytest.raises(LoginRequired):
            client.private_request(endpoint)
    for endpoint in ("feed/timeline/", "media/configure/", "accounts/logout/"):
        with pytest.raises(LoginRequired):
            client.private_request(endpoint, data={"upload_id": "1"})


def test_somebody_elses_name_on_a_session_is_refused(
    signed_in: SignedIn, new_account: NewAccount
) -> None:
    client, _ = signed_in
    client.authorization_data["ds_user_id"] = str(new_account().user_id)
    with pytest.raises(LoginRequired):
        client.account_info()


def test_what_the_platform_does_not_have_is_refused_as_such(signed_in: SignedIn) -> None:
    client, _ = signed_in
    with pytest.raises(ClientNotFoundError) as caught:
        client.private_request("direct_v2/inbox/")
    assert caught.value.response.json() == {"message": "not implemented", "status": "fail"}
    with pytest.raises(ClientError):
        client.private_graphql_www_request("SomeOtherMutation", {})


def test_an_account_bound_to_a_proxy_is_served_through_it_alone(
    practice_platform: PracticeProcess, new_account: NewAccount, new_client: NewClient
) -> None:
    proxy_url = practice_platform.add_proxy("paris", "marie", "proxy-password")
    account = new_account(require_proxy="paris")
    with pytest.raises(SentryBlock):
        new_client().login(account.username, account.password)
    client = new_client(proxy_url=proxy_url)
    assert client.login(account.username, account.password)
    assert of_account(practice_platform, account)[-1]["proxy"] == "paris"
    direct = new_client(settings=client.get_settings())
    with pytest.raises(SentryBlock):
        direct.account_info()


def test_no_secret_reaches_disk_or_output(
    practice_platform: PracticeProcess, new_account: NewAccount, new_client: NewClient
) -> None:
    account = new_account(totp_seed="CANARYCANARYCANA")
    client = new_client()
    code = client.totp_generate_code("CANARYCANARYCANA")
    client.login(account.username, account.password, verification_code=code)
    token = client.authorization_data["sessionid"]
    files = [path for path in practice_platform.data.rglob("*") if path.is_file()]
    assert practice_platform.data / "output.log" in files
    for path in files:
        content = path.read_bytes()
        for secret in (account.password, "CANARYCANARYCANA", token):
            assert secret.encode() not in content, path
