"""Frames on their way to watchers: one per channel, the newest next."""

from agent.live.channels import Channels


def channels() -> tuple[Channels, list[tuple[int, bytes]]]:
    sent: list[tuple[int, bytes]] = []
    return Channels(lambda channel, jpeg: sent.append((channel, jpeg))), sent


def test_nobody_watches_nothing_goes() -> None:
    watch, sent = channels()
    watch.show("a", b"1")
    assert (sent, watch.width_for("a")) == ([], 0)


def test_the_next_frame_waits_until_the_last_was_seen_and_is_the_newest() -> None:
    watch, sent = channels()
    watch.watch("a", 1, 640)
    for frame in (b"1", b"2", b"3"):
        watch.show("a", frame)
    assert sent == [(1, b"1")]
    watch.seen(1)
    assert sent == [(1, b"1"), (1, b"3")]
    watch.seen(1)
    watch.show("a", b"4")
    assert sent[-1] == (1, b"4")


def test_a_slow_watcher_does_not_hold_up_another() -> None:
    watch, sent = channels()
    watch.watch("a", 1, 640)
    watch.watch("a", 2, 1280)
    assert watch.width_for("a") == 1280
    watch.show("a", b"1")
    watch.seen(2)
    watch.show("a", b"2")
    assert sent == [(1, b"1"), (2, b"1"), (2, b"2")]


def test_a_channel_that_was_closed_is_silent() -> None:
    watch, sent = channels()
    watch.watch("a", 1, 640)
    watch.stop(1)
    watch.show("a", b"1")
    watch.seen(1)
    assert sent == []
