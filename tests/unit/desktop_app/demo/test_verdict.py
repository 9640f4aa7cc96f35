from typing import Any

from desktop_app.demo.verdict import Expected, judge

POSTS = [Expected("bergen", "one"), Expected("bergen", "two"), Expected("cork", "one")]


def records(*posts: Expected) -> list[dict[str, Any]]:
    return [{"account": post.username, "caption": post.caption} for post in posts]


def test_everything_once_is_clean() -> None:
    verdict = judge(2, POSTS, records(*POSTS))
    assert verdict.is_clean
    assert str(verdict) == "2 accounts · 3 posts expected · 3 published · 0 twice · 0 lost"


def test_a_second_copy_is_counted_even_though_nothing_is_missing() -> None:
    verdict = judge(2, POSTS, records(*POSTS, POSTS[0]))
    assert not verdict.is_clean
    assert (verdict.published, verdict.twice, verdict.lost) == (3, 1, 0)


def test_a_missing_post_is_lost_even_where_another_one_makes_up_the_number() -> None:
    verdict = judge(2, POSTS, records(POSTS[0], POSTS[1], Expected("cork", "stranger")))
    assert not verdict.is_clean
    assert (verdict.published, verdict.twice, verdict.lost) == (2, 1, 1)


def test_an_empty_ledger_has_lost_everything() -> None:
    assert judge(2, POSTS, []).lost == 3
