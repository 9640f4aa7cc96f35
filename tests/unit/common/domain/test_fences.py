"""A fence is judged by the highest one seen, and by nothing else."""

import pytest

from common.domain.fences import FenceJudgement, join_fences, judge_fence


@pytest.mark.parametrize(
    ("offered", "highest", "expected"),
    [
        (0, None, FenceJudgement.RAISED),
        (1, 0, FenceJudgement.RAISED),
        (9, 3, FenceJudgement.RAISED),
        (3, 3, FenceJudgement.CURRENT),
        (2, 3, FenceJudgement.STALE),
    ],
)
def test_a_fence_is_new_known_or_stale(
    offered: int, highest: int | None, expected: FenceJudgement
) -> None:
    assert judge_fence(offered, highest) is expected


@pytest.mark.parametrize(
    ("one", "other", "expected"), [(None, None, None), (4, None, 4), (None, 4, 4), (4, 7, 7)]
)
def test_an_account_with_two_names_keeps_the_higher_fence(
    one: int | None, other: int | None, expected: int | None
) -> None:
    assert join_fences(one, other) == expected
