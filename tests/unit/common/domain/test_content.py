from common.domain.content import content_key

ONE, OTHER = "a" * 64, "b" * 64


def test_the_key_follows_the_media_their_order_and_the_repeat_number_only() -> None:
    assert content_key([ONE, OTHER]) == content_key([ONE, OTHER])
    assert len({content_key([ONE]), content_key([ONE, OTHER]), content_key([OTHER, ONE])}) == 3
    assert content_key([ONE], repeat=1) != content_key([ONE])
