"""Pause, resume, cancel and retry on a running system, and the guard against publishing twice."""

from __future__ import annotations

from common.domain.states import ItemState
from common.domain.transitions import ITEM_FINAL
from desktop_app.contract.accounts import DeleteAccounts
from tests.support.system import CONFIGURE, Member, System, states_of

PHOTOS = 6


async def test_paused_run_rests_then_goes_on_and_a_cancelled_one_stays_away(
    shared: System,
) -> None:
    name = "steered"
    async with shared.core.client() as client:
        await shared.enrol(client, [Member(username=name)])
        await shared.sign_in(client, [name])
        shared.practice.fault("delay_ms", CONFIGURE, account=name, count=20, delay_ms=150)
        photos = await shared.photos(client, PHOTOS)
        run_id = await shared.upload(client, [name], photos)
        await shared.until_done(client, run_id, 1)

        await shared.control(client, run_id, "pause")
        items = await shared.until(
            client,
            run_id,
            lambda items: all(item.state in ITEM_FINAL | {ItemState.PAUSED} for item in items),
            "paused",
        )
        when_paused = shared.published_once(name)
        assert 0 < when_paused < PHOTOS
        assert states_of(items)[ItemState.PAUSED] == PHOTOS - when_paused

        await shared.control(client, run_id, "resume")
        await shared.until_done(client, run_id, when_paused + 1)
        await shared.control(client, run_id, "cancel")
        items = await shared.until_at_rest(client, run_id)
        ended = states_of(items)
        assert ended[ItemState.CANCELLED] > 0
        assert ended[ItemState.DONE] == shared.published_once(name)

        # What was cancelled had no effect, so it may be published by another run.
        again = await shared.upload(client, [name], photos)
        items = await shared.until_at_rest(client, again)
        assert shared.published_once(name) == PHOTOS
        assert states_of(items)[ItemState.DONE] == ended[ItemState.CANCELLED]


async def test_same_media_is_refused_before_the_start_naming_the_earlier_run(
    shared: System,
) -> None:
    name = "twice"
    async with shared.core.client() as client:
        await shared.enrol(client, [Member(username=name)])
        await shared.sign_in(client, [name])
        photos = await shared.photos(client, 1)
        run_id = await shared.upload(client, [name], photos)
        await shared.until_at_rest(client, run_id)
        first = await client.run(run_id)

        for caption in ("{title}", "another caption"):
            again = await shared.judge(
                client,
                "bulk_upload",
                [name],
                posts=[{"media": photos}],
                distribution="same_to_all",
                caption=caption,
            )
            assert again.run_id is None
            said = " ".join(problem.message for problem in again.preflight.problems)
            assert first.name in said
            assert f"@{name}" in said

        # Nor twice within one batch.
        fresh = await shared.photos(client, 1)
        double = await shared.judge(
            client,
            "bulk_upload",
            [name],
            posts=[{"media": fresh}, {"media": fresh}],
            distribution="same_to_all",
        )
        assert double.run_id is None
        assert any("same media as post 1" in each.message for each in double.preflight.problems)

        # Removing an account and importing it again forgets nothing of what was published.
        account = (await client.accounts(search=name)).rows[0]
        await client.delete_accounts(DeleteAccounts(ids=[account.id]))
        await shared.bring_in(client, [Member(username=name)])
        assert (await client.accounts(search=name)).rows[0].id == account.id
        await shared.sign_in(client, [name])
        anew = await shared.judge(
            client,
            "bulk_upload",
            [name],
            posts=[{"media": photos}],
            distribution="same_to_all",
        )
        assert anew.run_id is None
        assert any("already published" in each.message for each in anew.preflight.problems)
        assert shared.published_once(name) == 1


async def test_failed_items_alone_are_retried(shared: System) -> None:
    names = ["expired", "healthy"]
    async with shared.core.client() as client:
        await shared.enrol(client, [Member(username=name) for name in names])
        await shared.sign_in(client, names)
        shared.practice.revoke_sessions("expired")
        run_id = await shared.upload(client, names, await shared.photos(client, 1))
        items = {item.username: item for item in await shared.until_at_rest(client, run_id)}
        assert items["healthy"].state is ItemState.DONE
        assert items["expired"].state is ItemState.FAILED
        assert items["expired"].error
        assert items["expired"].error.code == "session_expired"
        assert items["expired"].error.advice

        await shared.sign_in(client, ["expired"])
        changed = await shared.control(client, run_id, "retry")
        assert changed.ids == [items["expired"].id]
        again = await shared.until_at_rest(client, run_id)
        assert states_of(again) == {ItemState.DONE: 2}
        assert shared.published_once(*names) == 2
