"""Which texts of an account are never written."""

import json

from pydantic import SecretStr

from agent.runners.secrets import SecretBook, session_secrets
from common.access import AccountAccess, ProxyAccess
from common.domain.accounts import DriverName, Platform

SESSION = json.dumps(
    {
        "driver": "private_api",
        "platform": "practice",
        "settings": {
            "authorization_data": {"ds_user_id": "123", "sessionid": "canary-session-id"},
            "usdid": {"private_key": "canary-private-key"},
            "user_agent": "Instagram 1.2.3 Android",
        },
        "storage_state": {"cookies": [{"name": "sessionid", "value": "canary-cookie"}]},
    }
)


def account(account_id: str = "a", typed: str = "canary-password") -> AccountAccess:
    return AccountAccess(
        account_id=account_id,
        platform=Platform.PRACTICE,
        platform_url="http://127.0.0.1:1",
        username="somebody",
        password=SecretStr(typed),
        totp_seed=SecretStr("CANARYSEEDCANARYSEED"),
        session=SecretStr(SESSION),
        driver=DriverName.PRIVATE_API,
        proxy=ProxyAccess(
            proxy_id="p", url="http://127.0.0.1:2", username="u", password=SecretStr("canary-proxy")
        ),
    )


def test_a_session_gives_up_its_tokens_and_not_its_settings() -> None:
    found = set(session_secrets(SESSION))
    assert found == {"canary-session-id", "canary-private-key", "canary-cookie"}


def test_a_session_that_is_no_json_is_a_secret_whole() -> None:
    assert list(session_secrets("opaque-token")) == ["opaque-token"]


def test_every_secret_of_an_account_is_masked() -> None:
    book = SecretBook()
    redactor = book.redactor_for(account())
    text = "canary-password CANARYSEEDCANARYSEED canary-proxy canary-session-id canary-cookie"
    assert "canary" not in redactor.clean(text).lower()
    assert "canary" not in book.process.clean(text).lower()


def test_the_process_log_hides_the_secrets_of_every_account() -> None:
    book = SecretBook()
    book.redactor_for(account("a", "canary-one"))
    book.redactor_for(account("b", "canary-two"))
    assert "canary" not in book.process.clean("canary-one and canary-two")


def test_a_redactor_is_made_anew_only_for_new_secrets() -> None:
    book = SecretBook()
    first = book.redactor_for(account())
    assert book.redactor_for(account()) is first
    assert book.redactor_for(account(typed="canary-other")) is not first
