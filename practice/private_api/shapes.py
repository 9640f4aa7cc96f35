"""The JSON shapes of accounts and media.

They hold only the fields that a client is known to need, so that nobody comes to rely on more.
"""

from collections.abc import Iterable
from typing import Any

from practice.values import ALBUM, Account, MediaItem, Post


class Shapes:
    """Makes shapes whose addresses lead back to this platform."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def account(self, account: Account) -> dict[str, Any]:
        """An account as its own owner and as others see it."""
        return {
            "pk": str(account.user_id),
            "username": account.username,
            "full_name": account.full_name,
            "is_private": False,
            "is_verified": False,
            "is_business": False,
            "profile_pic_url": f"{self._base_url}/avatars/{account.username}.svg",
            "biography": account.biography,
        }

    def user(self, account: Account, media_count: int) -> dict[str, Any]:
        """An account with its counts."""
        return {
            **self.account(account),
            "media_count": media_count,
            "follower_count": 0,
            "following_count": 0,
        }

    def media(self, post: Post) -> dict[str, Any]:
        """A post.

        The upload id isn't among the fields: nothing shows that the real platform gives it back,
        so a client that looks for its own post has to know it by what everybody sees.
        """
        shape: dict[str, Any] = {
            "pk": str(post.pk),
            "id": post.media_id,
            "code": post.code,
            "taken_at": post.taken_at,
            "media_type": post.media_type,
            "product_type": post.product_type,
            "caption": {"text": post.caption} if post.caption else None,
            "user": {"pk": str(post.user_id)},
        }
        if post.media_type == ALBUM:
            shape["carousel_media_count"] = len(post.items)
            shape["carousel_media"] = [
                {"pk": f"{post.pk}{place}", "media_type": _item_type(item), **self._files(item)}
                for place, item in enumerate(post.items)
            ]
        else:
            shape.update(self._files(post.items[0]))
        return shape

    def feed(self, posts: Iterable[Post], older_remain: bool) -> dict[str, Any]:
        """One page of an account's posts."""
        items = [self.media(post) for post in posts]
        page: dict[str, Any] = {"items": items, "status": "ok"}
        if older_remain and items:
            page["next_max_id"] = items[-1]["id"]
        return page

    def _files(self, item: MediaItem) -> dict[str, Any]:
        image = item.sha256 if item.kind == "photo" else item.cover_sha256
        files: dict[str, Any] = {"original_width": item.width, "original_height": item.height}
        if image:
            files["image_versions2"] = {"candidates": [self._file(item, image)]}
        if item.kind == "video":
            files["video_versions"] = [self._file(item, item.sha256)]
            files["video_duration"] = item.duration
        return files

    def _file(self, item: MediaItem, sha256: str) -> dict[str, Any]:
        return {
            "url": f"{self._base_url}/media/{sha256}",
            "width": item.width,
            "height": item.height,
        }


def _item_type(item: MediaItem) -> int:
    return 1 if item.kind == "photo" else 2
