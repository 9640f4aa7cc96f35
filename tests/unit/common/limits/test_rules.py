from common.limits.rules import check_caption, load_limits


def test_the_shipped_limits_say_when_they_were_read() -> None:
    assert load_limits().read_on.startswith("20")


def test_hashtags_and_mentions_are_counted_as_a_reader_would() -> None:
    limits = load_limits()
    text = "mail me@home.example #one#two x#three " + " ".join(f"@shop{n}" for n in range(21))
    messages = [problem.message for problem in check_caption(text, limits)]
    assert messages == ["The caption mentions 21 accounts; 20 fit."]


def test_more_hashtags_than_advised_is_a_warning() -> None:
    problems = list(check_caption(" ".join(f"#t{n}" for n in range(6)), load_limits()))
    assert [problem.severity for problem in problems] == ["warning"]


def test_exactly_at_the_limit_is_fine() -> None:
    assert list(check_caption("x" * 2200, load_limits())) == []
