"""Uploads and posts. Neither has a file: both are folded from the ledger's records."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from practice.ids import PostNumbers
from practice.values import LedgerRecord, MediaItem, MediaKind, Post


class UploadBook:
    """What has been uploaded and can be published, by account, upload id and kind.

    Clients make upload ids from a millisecond clock, so two accounts may choose the same one.
    """

    def __init__(self) -> None:
        self._items: dict[tuple[int, str, MediaKind], MediaItem] = {}

    def apply(self, record: LedgerRecord) -> None:
        """Take in one ledger record."""
        if record.kind == "upload_received" and record.user_id is not None:
            for upload_id, item in zip(record.upload_ids, record.items, strict=True):
                self._items[record.user_id, upload_id, item.kind] = item

    def find(self, user_id: int, upload_id: str, kind: MediaKind) -> MediaItem | None:
        """The uploaded item, if it is there."""
        return self._items.get((user_id, upload_id, kind))

    def clear(self) -> None:
        """Forget every upload."""
        self._items.clear()


class PostBook:
    """Every post by number, by code, and by owner in the order of publishing.

    This is the truth; what readers get to see of it is up to ``Listings``.
    """

    def __init__(self) -> None:
        self.numbers = PostNumbers()
        self._by_pk: dict[int, Post] = {}
        self._by_code: dict[str, Post] = {}
        self._by_user: defaultdict[int, list[Post]] = defaultdict(list)

    def apply(self, record: LedgerRecord) -> None:
        """Take in one ledger record."""
        if record.kind != "published":
            return
        post = _post_of(record)
        self.numbers.seen(post.pk)
        self._by_pk[post.pk] = post
        self._by_code[post.code] = post
        self._by_user[post.user_id].append(post)

    def by_pk(self, pk: int) -> Post | None:
        """The post with this number."""
        return self._by_pk.get(pk)

    def by_code(self, code: str) -> Post | None:
        """The post with this page code."""
        return self._by_code.get(code)

    def of_user(self, user_id: int) -> Sequence[Post]:
        """Every post of one account, oldest first."""
        return self._by_user.get(user_id, ())

    def newest_first(self) -> Iterator[Post]:
        """Every post of everyone, newest first."""
        return reversed(self._by_pk.values())

    def clear(self) -> None:
        """Forget every post."""
        self._by_pk.clear()
        self._by_code.clear()
        self._by_user.clear()


def _post_of(record: LedgerRecord) -> Post:
    """The post that a ``published`` record made.

    Raises:
        ValueError: when the record lacks what a post needs.
    """
    if not (record.post_id and record.post_code and record.media_type and record.product_type):
        raise ValueError(f"Ledger record {record.sequence} says published but names no post.")
    pk, _, owner = record.post_id.partition("_")
    published_at = datetime.fromisoformat(record.at).timestamp()
    return Post(
        pk=int(pk),
        code=record.post_code,
        user_id=int(owner),
        taken_at=int(published_at),
        media_type=record.media_type,
        product_type=record.product_type,
        caption=record.caption or "",
        items=record.items,
        source=record.source,
        listed_at=published_at + record.list_late_ms / 1000 if record.list_late_ms else 0.0,
    )
