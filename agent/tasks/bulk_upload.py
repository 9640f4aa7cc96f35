"""Bulk upload at the agent: publish one post, at most once.

Every step of the effect is journaled before it is taken: the resume points before any byte goes,
`sending` before the request that makes the post visible.
"""

from pydantic import JsonValue

from agent.media.cover import ensure_cover
from agent.tasks.context import TaskContext
from agent.tasks.operations import publishes
from common.domain.content import MediaKind
from common.domain.states import ActionState
from common.domain.transitions import IN_DOUBT_STATES
from common.errors import AmbiguousEffectError, InputError, SessionExpiredError
from common.items import MediaRef, PublishSpec
from common.operations import MediaFile, Post, PreparedPost, PublishedPost, Publishes

_COVERS = "covers"


async def run(context: TaskContext, driver: object) -> dict[str, JsonValue]:
    """Publish the item's post and return its id and page."""
    spec = context.item.publish
    if spec is None:
        raise InputError("The item says nothing to publish.")
    action = context.action
    if action.state is ActionState.CONFIRMED:
        context.log("info", "Published by an earlier attempt.")
        return {"remote_id": action.remote_id, "url": action.remote_url}
    _require_safe_to_publish(context)
    published = await _publish(context, publishes(driver), await _post(context, spec))
    context.log("info", f"Published: {published.url}")
    return {"remote_id": published.remote_id, "url": published.url}


def _require_safe_to_publish(context: TaskContext) -> None:
    username = context.account.username
    if context.action.state in IN_DOUBT_STATES:
        raise AmbiguousEffectError(
            f"An earlier attempt may have published this post for {username}.", subject=username
        )
    if context.account.session is None:
        raise SessionExpiredError(f"{username} is not signed in on this driver.", subject=username)


async def _publish(context: TaskContext, driver: Publishes, post: Post) -> PublishedPost:
    action = context.action
    if action.state is ActionState.PROVEN_ABSENT:
        await action.step(ActionState.PLANNED, note="the earlier attempt is proven absent")
    prepared = await _prepare(context, driver, post)
    context.check_cancel()
    context.progress("Publishing")
    context.log("info", "Everything is uploaded; publishing now.")
    await action.step(ActionState.SENDING, resume=prepared.resume)
    published = await driver.publish(prepared)
    await action.step(
        ActionState.CONFIRMED,
        remote_id=published.remote_id,
        remote_url=published.url,
        note="the platform confirmed it",
    )
    context.progress("Published")
    return published


async def _prepare(context: TaskContext, driver: Publishes, post: Post) -> PreparedPost:
    action = context.action
    resume = action.resume or driver.plan_publish(post)
    if resume != action.resume:
        await action.step(ActionState.PREPARED, resume=resume, note="uploading")
    context.progress("Uploading")
    context.log("info", f"Uploading by {context.account.driver}; files: {len(post.files)}.")
    prepared = await driver.prepare_publish(post, resume)
    if prepared.resume != resume:
        await action.step(ActionState.PREPARED, resume=prepared.resume, note="uploaded")
    return prepared


async def _post(context: TaskContext, spec: PublishSpec) -> Post:
    files = [await _media_file(context, media) for media in spec.media]
    return Post(spec.kind, files, spec.caption)


async def _media_file(context: TaskContext, media: MediaRef) -> MediaFile:
    path = context.file(media.sha256)
    cover = None
    if media.kind is MediaKind.VIDEO:
        context.progress("Making a cover")
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
