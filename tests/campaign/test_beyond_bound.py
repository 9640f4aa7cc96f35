"""What the promise rests on: a platform that hides a post for longer than its bound says.

This is no case that is counted. It shows the honest limit: who looks, waits out the bound, looks
again and finds nothing has to take a post for absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from common.domain.states import ItemState
from tests.support.system import CONFIGURE, Member, System, paired_system, states_of

_INSIDE_MS = 250
_BEYOND_MS = 60_000
"""The practice platform's bound is one second."""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder: Path = tmp_path_factory.mktemp("bound")
    with paired_system(folder, browser_slots="0") as system:
        yield system


@pytest.mark.parametrize(
    ("name", "hidden_ms", "published"),
    [("inside", _INSIDE_MS, 1), ("beyond", _BEYOND_MS, 2)],
)
async def test_a_post_that_stays_hidden_for_longer_than_the_bound_is_published_again(
    system: System, name: str, hidden_ms: int, published: int
) -> None:
    async with system.core.client() as client:
        await system.enrol(client, [Member(username=name)])
        await system.sign_in(client, [name])
        # Applied, but its answer is lost, and for a while no listing shows it.
        system.practice.fault("drop_after_apply", CONFIGURE, account=name)
        system.practice.fault("list_late", CONFIGURE, account=name, delay_ms=hidden_ms)
        run_id = await system.upload(client, [name], await system.photos(client, 1))
        items = await system.until_at_rest(client, run_id)
    posts = system.published(name)
    assert states_of(items) == {ItemState.DONE: 1}
    assert len(posts) == published
    # What counts as done is a post that is there, and the latest one.
    assert items[0].link.rstrip("/").endswith(posts[-1]["post_code"])
