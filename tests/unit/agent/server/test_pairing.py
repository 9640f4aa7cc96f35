"""One-time codes: one use, five tries, a quarter of an hour; and the limit on failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.server.guard import FailureLimit
from agent.server.pairing import is_code_open, open_code, redeem_code
from common.errors import PairingRefusedError
from common.security.pairing import CODE_LIFETIME_SECONDS, CODE_TRIES, new_code


def test_code_works_once_and_is_not_kept(tmp_path: Path) -> None:
    code = open_code(tmp_path, now=100.0)
    assert code not in "".join(file.read_text() for file in tmp_path.iterdir())
    assert is_code_open(tmp_path, 100.0)
    assert not redeem_code(tmp_path, code, 101.0).take_over
    with pytest.raises(PairingRefusedError, match="was used"):
        redeem_code(tmp_path, code, 102.0)


@pytest.mark.parametrize(
    ("wrong", "is_open"), [(CODE_TRIES - 1, True), (CODE_TRIES, False), (CODE_TRIES + 3, False)]
)
def test_code_takes_so_many_wrong_tries(tmp_path: Path, wrong: int, is_open: bool) -> None:
    code = open_code(tmp_path, take_over=True, now=100.0)
    for _ in range(wrong):
        with pytest.raises(PairingRefusedError):
            redeem_code(tmp_path, new_code(), 101.0)
    if is_open:
        assert redeem_code(tmp_path, code, 102.0).take_over
    else:
        with pytest.raises(PairingRefusedError):
            redeem_code(tmp_path, code, 102.0)


def test_code_ends_with_its_time(tmp_path: Path) -> None:
    code = open_code(tmp_path, now=100.0)
    late = 100.0 + CODE_LIFETIME_SECONDS
    assert not is_code_open(tmp_path, late)
    with pytest.raises(PairingRefusedError, match="expired"):
        redeem_code(tmp_path, code, late)


def test_new_code_replaces_the_old_one(tmp_path: Path) -> None:
    old, new = open_code(tmp_path, now=1.0), open_code(tmp_path, now=2.0)
    with pytest.raises(PairingRefusedError, match="wrong"):
        redeem_code(tmp_path, old, 3.0)
    redeem_code(tmp_path, new, 3.0)


def test_damaged_file_opens_nothing(tmp_path: Path) -> None:
    code = open_code(tmp_path)
    (tmp_path / "pairing.json").write_text('{"digest": 1}')
    with pytest.raises(PairingRefusedError):
        redeem_code(tmp_path, code, 0.0)


def test_failures_are_counted_per_address_and_minute() -> None:
    now = [0.0]
    limit = FailureLimit(lambda: now[0])
    for number in range(5):
        assert not limit.is_over("a")
        limit.failed("a", f"guess {number}")
    assert limit.is_over("a")
    assert not limit.is_over("b")
    now[0] = 61.0
    assert not limit.is_over("a")
    for number in range(3000):
        limit.failed(f"address {number}", "guess")
    assert not limit.is_over("a")


def test_the_same_guess_again_counts_once() -> None:
    limit = FailureLimit(lambda: 0.0)
    for _ in range(100):
        limit.failed("a", "a token that was withdrawn")
    assert not limit.is_over("a")
