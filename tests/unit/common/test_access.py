"""What an agent is given of an account: it shows no secret, not even where it cannot be read."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from common.access import AccountAccess


def test_an_account_that_cannot_be_read_shows_nothing_of_its_secrets() -> None:
    broken = {"username": "ada", "password": ["canary"], "session": {"token": "canary"}}
    with pytest.raises(ValidationError) as refused:
        AccountAccess.model_validate_json(json.dumps(broken))
    assert "canary" not in str(refused.value)
