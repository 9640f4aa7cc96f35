"""What readers get to see of the posts: those whose listing isn't held back by a fault."""

import itertools
from collections.abc import Callable

from practice.state.posts import PostBook
from practice.values import Post


class Listings:
    """Every read of posts, through both doors. ``clock`` gives Unix seconds."""

    def __init__(self, posts: PostBook, clock: Callable[[], float]) -> None:
        self._posts = posts
        self._clock = clock

    def by_pk(self, pk: int) -> Post | None:
        """The post with this number."""
        return self._seen(self._posts.by_pk(pk))

    def by_code(self, code: str) -> Post | None:
        """The post with this page code."""
        return self._seen(self._posts.by_code(code))

    def count_of(self, user_id: int) -> int:
        """How many posts an account has."""
        now = self._clock()
        return sum(post.listed_at <= now for post in self._posts.of_user(user_id))

    def page_of(
        self, user_id: int, count: int, before: int | None = None
    ) -> tuple[list[Post], bool]:
        """Up to ``count`` posts of one account, newest first, and whether older ones remain.

        ``before`` is the number of the last post of the page before.
        """
        now = self._clock()
        older = (
            post
            for post in reversed(self._posts.of_user(user_id))
            if post.listed_at <= now and (before is None or post.pk < before)
        )
        page = list(itertools.islice(older, count + 1))
        return page[:count], len(page) > count

    def newest(self, count: int) -> list[Post]:
        """The newest posts of everyone."""
        now = self._clock()
        listed = (post for post in self._posts.newest_first() if post.listed_at <= now)
        return list(itertools.islice(listed, count))

    def _seen(self, post: Post | None) -> Post | None:
        return post if post and post.listed_at <= self._clock() else None
