"""Bulk upload at the agent: publish one post, once.

How a post is prepared, sent and known again; the steps and their order are those of every effect.
"""

import time
from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from agent.media.cover import ensure_cover
from agent.tasks.context import TaskContext
from agent.tasks.effects import Earlier, Outcome, Ready, perform
from agent.tasks.operations import (
    finds_published,
    publishes,
    settlement_of,
    tells_whose_post,
)
from common.domain.content import Baseline, ListedPost, MediaKind
from common.domain.ids import made_at
from common.domain.states import ActionState
from common.errors import (
    DriverError,
    InputError,
    OperationUnsupportedError,
    SessionExpiredError,
)
from common.items import MediaRef, PublishSpec
from common.operations import (
    FindsPublished,
    MediaFile,
    Operation,
    Post,
    PreparedPost,
    Publishes,
    Settlement,
    TellsWhosePost,
    Whose,
)
from common.reconcile import (
    CLOCK_SLACK_SECONDS,
    Match,
    Sought,
    by_platform_clock,
    match_post,
    reach_of,
)

_COVERS = "covers"


async def run(context: TaskContext, driver: object) -> dict[str, JsonValue]:
    """Publish the item's post and return its id and page."""
    spec = context.item.publish
    if spec is None:
        raise InputError("The item says nothing to publish.")
    if context.action.state is ActionState.CONFIRMED:
        context.log("info", "Published by an earlier attempt.")
    published = await perform(context, _Publishing(context, driver, spec))
    context.progress("Published")
    context.log("info", f"Published: {published.url}")
    return {"remote_id": published.remote_id, "url": published.url}


class _Publishing:
    """One post as an effect."""

    def __init__(self, context: TaskContext, driver: object, spec: PublishSpec) -> None:
        self._context = context
        self._driver: Publishes = publishes(driver)
        self._finder: FindsPublished | None = finds_published(driver)
        self._teller: TellsWhosePost | None = tells_whose_post(driver)
        self._spec = spec
        self._baseline: Baseline | None = None
        self._prepared: PreparedPost | None = None
        settlement = settlement_of(driver, Operation.PUBLISH)
        can_look = settlement is not Settlement.PROBE or self._finder
        self.settlement = settlement if can_look else Settlement.NONE

    async def find_earlier(self) -> Earlier | None:
        """See `agent.tasks.effects.Effect`; takes the baseline on the way."""
        action, account = self._context.action, self._context.account
        if account.session is None:
            raise SessionExpiredError(
                f"{account.username} is not signed in on this driver.", subject=account.username
            )
        if self._finder is None:
            return None
        # What was sent once may show at any time: no older answer of the platform will do then.
        was_sent = action.baseline is not None or action.state is ActionState.PROVEN_ABSENT
        known = action.baseline or Baseline()
        taken = await self._finder.take_baseline(fresh=was_sent)
        self._baseline = _with_ids(taken, known.post_ids)
        if action.accepted_at is None:
            return None
        # Nothing of this item was published before the agent took it over. The slack that matching
        # allows is taken back: the item before it, with the same caption, may be seconds older.
        began = by_platform_clock(action.accepted_at, taken, time.time()) + CLOCK_SLACK_SECONDS
        if known.platform_time is not None:
            began = min(began, known.platform_time)
        # What a person has looked at, and said to be another one, is among the known ones.
        since = Baseline(post_ids=known.post_ids, platform_time=began)
        wanted = _with_ids(since, sorted(action.settled_ids))
        match = self._match(await self._finder.find_published(wanted, fresh=False), since)
        if not match.resembling:
            return None
        return Earlier(match.resembling, since, bool(self._spec.caption.strip()))

    async def prepare(self) -> Ready:
        """Bring the bytes to the platform; the resume points are journaled before."""
        context, action = self._context, self._context.action
        post = await self._post()
        resume = action.resume or self._driver.plan_publish(post)
        if resume != action.resume:
            await action.step(ActionState.PREPARED, resume=resume, note="uploading")
        context.progress("Uploading")
        context.log("info", f"Uploading by {context.account.driver}; files: {len(post.files)}.")
        prepared = await self._driver.prepare_publish(post, resume)
        if prepared.resume != resume:
            await action.step(ActionState.PREPARED, resume=prepared.resume, note="uploaded")
        self._prepared = prepared
        return Ready(prepared.resume, _at(self._baseline, prepared.platform_time))

    async def send(self) -> Outcome:
        """Send the request that makes the post visible."""
        if self._prepared is None:
            raise DriverError("The post is not prepared.", subject=self._context.account.username)
        self._context.progress("Publishing")
        self._context.log("info", "Everything is uploaded; publishing now.")
        published = await self._driver.publish(self._prepared)
        return Outcome(published.remote_id, published.url)

    async def look(self) -> Match:
        """Look for the post in the account's own list."""
        if self._finder is None:
            raise DriverError("This driver cannot list posts.")
        since = await self._since(self._finder)
        return self._match(await self._finder.find_published(reach_of(since)), since)

    async def whose(self, remote_id: str) -> Whose:
        """Ask the platform whose a post is."""
        if self._teller is None:
            raise OperationUnsupportedError("This driver cannot ask for one post.")
        return await self._teller.whose_post(remote_id)

    async def _since(self, finder: FindsPublished) -> Baseline:
        """Return what the post is newer than, as far as that is known.

        Where nothing was journaled of the platform's own clock, it is by one of ours.
        """
        action = self._context.action
        known = action.baseline or Baseline()
        if known.platform_time is not None:
            return known
        began = made_at(self._spec.intent_id)
        if action.baseline is None and action.accepted_at is not None:
            measured = await finder.take_baseline()
            began = by_platform_clock(action.accepted_at, measured, time.time())
        return known.model_copy(update={"platform_time": began, "is_estimate": True})

    def _match(self, listed: Sequence[ListedPost], since: Baseline) -> Match:
        spec, settled = self._spec, self._context.action.settled_ids
        return match_post(Sought(spec.kind, spec.caption, since, settled), listed)

    async def _post(self) -> Post:
        files = [await self._media_file(media) for media in self._spec.media]
        return Post(self._spec.kind, files, self._spec.caption)

    async def _media_file(self, media: MediaRef) -> MediaFile:
        path = self._context.file(media.sha256)
        cover = None
        if media.kind is MediaKind.VIDEO:
            self._context.progress("Making a cover")
            cover = await ensure_cover(path, media.sha256, path.parent / _COVERS)
        return MediaFile(
            path=path,
            sha256=media.sha256,
            kind=media.kind,
            width=media.width,
            height=media.height,
            duration=media.duration,
            cover=cover,
        )


def _with_ids(baseline: Baseline, post_ids: Iterable[str]) -> Baseline:
    """Return `baseline` with these posts as well."""
    both = dict.fromkeys((*baseline.post_ids, *post_ids))
    return baseline.model_copy(update={"post_ids": tuple(both)})


def _at(baseline: Baseline | None, platform_time: float | None) -> Baseline | None:
    """Return `baseline` as of `platform_time`, where that is known."""
    if baseline is None or platform_time is None:
        return baseline
    return baseline.model_copy(update={"platform_time": platform_time})
