"""Bulk upload: publish posts to many accounts, each post at most once per account."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from common.domain.accounts import DriverName
from common.domain.content import PLACEMENT_OF, MediaKind, PostKind, content_key
from common.items import MediaRef
from common.limits.rules import Problem, check_caption, check_media
from common.operations import Operation
from common.tasks.captions import VARIABLES, fill, unknown_variables
from common.tasks.task_type import (
    ItemUnit,
    Plan,
    PlanAccount,
    PlanContext,
    PlannedItem,
    PlannedPost,
    PlanProblem,
    TaskParameters,
    TaskType,
)


class Distribution(StrEnum):
    """Which account gets which post."""

    SAME_TO_ALL = "same_to_all"
    """Every account publishes every post."""
    SPLIT = "split"
    """Each post goes to one account, in turn."""
    TABLE = "table"
    """As the table says."""


class PostDraft(TaskParameters):
    """One post before it meets an account."""

    media: list[str] = Field(min_length=1, max_length=20)
    """SHA-256 of each file, in order: one photo, one video, or several for a carousel."""
    title: str = ""
    """For `{title}`; the first file's title where empty."""


class TableRow(TaskParameters):
    """One line of a distribution table."""

    username: str
    post: int = Field(ge=1)
    """The post's position, from 1."""


class BulkUploadParameters(TaskParameters):
    """What a bulk upload takes."""

    posts: list[PostDraft] = Field(
        min_length=1, max_length=5000, description="The posts, each with its media in order."
    )
    distribution: Distribution = Field(
        default=Distribution.SPLIT,
        description="Which account gets which post: every account every one (same_to_all), each "
        "post on one account in turn (split), or as the table says (table).",
    )
    table: list[TableRow] = Field(
        default_factory=list, description="Lines of user name and post, for --distribution table."
    )
    caption: str = Field(
        default="",
        description="Caption of every post. Filled in per account and post: "
        + ", ".join(f"{{{name}}}" for name in VARIABLES)
        + ".",
    )
    captions: dict[str, str] = Field(
        default_factory=dict, description="Captions of single accounts, by user name, instead."
    )
    hashtags: list[str] = Field(
        default_factory=list,
        description="Added behind the caption, with or without the leading #; may be repeated.",
    )
    driver: DriverName | None = Field(
        default=None, description="Use this driver instead of the one that would be chosen."
    )
    repeat: int = Field(
        default=0,
        ge=0,
        description="Which further copy this is: 0 publishes the same media once per account, and "
        "each higher number once more.",
    )


def plan(parameters: BulkUploadParameters, context: PlanContext) -> Plan:
    """Plan one item per account and post, and judge the whole batch."""
    problems = list(_check_templates(parameters))
    problems += _check_drafts(parameters, context)
    pairs = list(_distribute(parameters, context.accounts, problems))
    items = []
    for account, number in pairs:
        draft = parameters.posts[number - 1]
        if all(sha256 in context.media for sha256 in draft.media):
            item = _plan_item(parameters, context, account, number)
            items.append(item)
            problems += _check_item(item, context, account, number)
    return Plan(tuple(items), tuple(problems))


def _distribute(
    parameters: BulkUploadParameters,
    accounts: Iterable[PlanAccount],
    problems: list[PlanProblem],
) -> Iterable[tuple[PlanAccount, int]]:
    targets = list(accounts)
    numbers = range(1, len(parameters.posts) + 1)
    if not targets:
        problems.append(PlanProblem(_error("accounts", "No account is chosen.")))
    elif parameters.distribution is Distribution.SAME_TO_ALL:
        yield from ((account, number) for account in targets for number in numbers)
    elif parameters.distribution is Distribution.SPLIT:
        yield from ((targets[(n - 1) % len(targets)], n) for n in numbers)
    else:
        yield from _by_table(parameters, targets, problems)


def _by_table(
    parameters: BulkUploadParameters, targets: list[PlanAccount], problems: list[PlanProblem]
) -> Iterable[tuple[PlanAccount, int]]:
    by_name = {account.username: account for account in targets}
    for line, row in enumerate(parameters.table, start=1):
        if row.username not in by_name:
            text = f"Line {line} of the table names {row.username}, which is not among the targets."
            problems.append(PlanProblem(_error("table", text), username=row.username))
        elif row.post > len(parameters.posts):
            text = f"Line {line} of the table names post {row.post}; there are "
            problems.append(
                PlanProblem(_error("table", f"{text}{len(parameters.posts)}."), row.username)
            )
        else:
            yield by_name[row.username], row.post


def _plan_item(
    parameters: BulkUploadParameters, context: PlanContext, account: PlanAccount, number: int
) -> PlannedItem:
    draft = parameters.posts[number - 1]
    media = tuple(context.media[sha256] for sha256 in draft.media)
    title = draft.title or context.media_titles.get(draft.media[0], "") or media[0].name
    kind = post_kind(media)
    return PlannedItem(
        account_id=account.account_id,
        title=f"{kind.capitalize()} “{title}”",
        publish=PlannedPost(
            kind=kind,
            placement=PLACEMENT_OF[kind],
            content_key=content_key(draft.media, parameters.repeat),
            media=media,
            caption=_caption(parameters, account, title, number),
        ),
    )


def post_kind(media: tuple[MediaRef, ...]) -> PostKind:
    """Say what kind of post these files make."""
    if len(media) > 1:
        return PostKind.CAROUSEL
    return PostKind.REEL if media[0].kind is MediaKind.VIDEO else PostKind.PHOTO


def _caption(
    parameters: BulkUploadParameters, account: PlanAccount, title: str, number: int
) -> str:
    template = parameters.captions.get(account.username, parameters.caption)
    values = {
        "username": account.username,
        "full_name": account.full_name or account.username,
        "title": title,
        "number": str(number),
        "tag": account.tags[0] if account.tags else "",
    }
    tags = " ".join(f"#{tag.removeprefix('#')}" for tag in parameters.hashtags if tag.strip("# "))
    return "\n\n".join(part for part in (fill(template, values).strip(), tags) if part)


def _check_templates(parameters: BulkUploadParameters) -> Iterable[PlanProblem]:
    templates = {"": parameters.caption, **parameters.captions}
    for username, template in templates.items():
        for name in unknown_variables(template):
            text = f"The caption uses {{{name}}}, which is not a variable."
            yield PlanProblem(_error("caption", text), username=username)


def _check_drafts(parameters: BulkUploadParameters, context: PlanContext) -> Iterable[PlanProblem]:
    seen: dict[str, int] = {}
    for number, draft in enumerate(parameters.posts, start=1):
        missing = [sha256 for sha256 in draft.media if sha256 not in context.media]
        if missing:
            text = f"Post {number} names {len(missing)} file(s) that the library does not have."
            yield PlanProblem(_error("media", text), post=number)
            continue
        key = content_key(draft.media, parameters.repeat)
        if key in seen:
            text = f"Post {number} is made of the same media as post {seen[key]}."
            yield PlanProblem(_error("media", text), post=number)
        seen.setdefault(key, number)
        media = [context.media[sha256] for sha256 in draft.media]
        for problem in check_media(post_kind(tuple(media)), media, context.limits):
            yield PlanProblem(problem, post=number)


def _check_item(
    item: PlannedItem, context: PlanContext, account: PlanAccount, number: int
) -> Iterable[PlanProblem]:
    if item.publish:
        for problem in check_caption(item.publish.caption, context.limits):
            yield PlanProblem(problem, username=account.username, post=number)


def _error(field: str, message: str) -> Problem:
    return Problem("error", field, message)


_EXAMPLE_SHA256 = "0" * 64

TASK_TYPE = TaskType(
    kind="bulk_upload",
    number=1,
    title="Bulk upload",
    summary="Publish reels, photos and carousels to many accounts, each exactly once.",
    icon="upload",
    unit=ItemUnit.ACCOUNT_POST,
    operations=frozenset({Operation.PUBLISH}),
    parameters=BulkUploadParameters,
    plan=plan,
    examples=(
        BulkUploadParameters(
            posts=[PostDraft(media=[_EXAMPLE_SHA256], title="Harbour at dusk")],
            distribution=Distribution.SAME_TO_ALL,
            caption="{title}, by {full_name}",
            hashtags=["harbour"],
        ),
    ),
)
