"""Publishing: taking in media and turning it into posts, the same for both doors.

The platform is pessimistic on purpose. It never recognises a repetition: publishing one upload
twice makes two posts.
"""

from dataclasses import replace

from practice.ids import shortcode
from practice.state.platform import PlatformState
from practice.values import (
    ALBUM,
    PHOTO,
    VIDEO,
    Account,
    MediaItem,
    Post,
    ProductType,
    RequestContext,
)

CAPTION_LIMIT = 2_200
"""Characters of a caption."""
HASHTAG_LIMIT = 30
ALBUM_SIZES = range(2, 11)


class PublishError(ValueError):
    """The platform refuses the post; the text says why."""


class Publisher:
    """Receives media and publishes posts."""

    def __init__(self, state: PlatformState) -> None:
        self._state = state

    def receive(
        self, account: Account, upload_id: str, item: MediaItem, context: RequestContext
    ) -> None:
        """Record that an item, whose bytes are already stored, was uploaded."""
        self._state.record(
            "upload_received",
            account,
            context,
            content_sha256=(item.sha256,),
            upload_ids=(upload_id,),
            media_type=PHOTO if item.kind == "photo" else VIDEO,
            items=(item,),
        )

    def uploaded_photo(self, account: Account, upload_id: str) -> MediaItem:
        """The photo uploaded under this id; raises ``PublishError`` when there is none."""
        item = self._state.uploads.find(account.user_id, upload_id, "photo")
        if item is None:
            raise PublishError("media_needs_reupload")
        return item

    def uploaded_video(self, account: Account, upload_id: str) -> MediaItem:
        """The video uploaded under this id, with its cover if one came under the same id.

        Raises:
            PublishError: when there is no such video.
        """
        item = self._state.uploads.find(account.user_id, upload_id, "video")
        if item is None:
            raise PublishError("media_needs_reupload")
        cover = self._state.uploads.find(account.user_id, upload_id, "photo")
        return replace(item, cover_sha256=cover.sha256) if cover else item

    def uploaded_any(self, account: Account, upload_id: str) -> MediaItem:
        """The video uploaded under this id, or else the photo."""
        if self._state.uploads.find(account.user_id, upload_id, "video"):
            return self.uploaded_video(account, upload_id)
        return self.uploaded_photo(account, upload_id)

    def publish(
        self,
        account: Account,
        items: tuple[MediaItem, ...],
        upload_ids: tuple[str, ...],
        caption: str,
        product_type: ProductType,
        context: RequestContext,
    ) -> Post:
        """Make a post.

        Raises:
            PublishError: when caption or number of items break the platform's rules.
        """
        if problem := caption_problem(caption):
            raise PublishError(problem)
        if product_type == "carousel_container" and len(items) not in ALBUM_SIZES:
            raise PublishError(f"An album holds 2 to 10 items, this one has {len(items)}.")
        pk = self._state.posts.numbers.next()
        self._state.record(
            "published",
            account,
            context,
            content_sha256=tuple(item.sha256 for item in items),
            upload_ids=upload_ids,
            caption=caption,
            media_type=_media_type(items, product_type),
            product_type=product_type,
            post_code=shortcode(pk),
            post_id=f"{pk}_{account.user_id}",
            items=items,
            list_late_ms=context.list_late_ms,
        )
        post = self._state.posts.by_pk(pk)
        if post is None:
            raise RuntimeError(f"Post {pk} was recorded and isn't among the posts.")
        return post


def caption_problem(caption: str) -> str | None:
    """Why the platform refuses a caption, or None when it takes it."""
    if len(caption) > CAPTION_LIMIT:
        return f"The caption has {len(caption)} characters; {CAPTION_LIMIT} are allowed."
    hashtags = sum(word.startswith("#") and len(word) > 1 for word in caption.split())
    if hashtags > HASHTAG_LIMIT:
        return f"The caption has {hashtags} hashtags; {HASHTAG_LIMIT} are allowed."
    return None


def _media_type(items: tuple[MediaItem, ...], product_type: ProductType) -> int:
    if product_type == "carousel_container":
        return ALBUM
    return VIDEO if items[0].kind == "video" else PHOTO
