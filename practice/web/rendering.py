"""Turning posts and accounts into pages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from practice.state.platform import PlatformState
from practice.values import Account, MediaItem, Post

HERE = Path(__file__).parent
_POLICY = "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; frame-ancestors 'none'"
_HEADERS = {"content-security-policy": _POLICY, "cache-control": "no-store"}
_AVATAR_HUES = (12, 38, 92, 158, 190, 214, 262, 318)


@dataclass(frozen=True, slots=True)
class PostView:
    """A post with what its page says around it."""

    code: str
    username: str
    caption: str
    items: tuple[MediaItem, ...]
    kind: str
    """Photo, Video, Reel or Album."""
    published_iso: str
    published: str
    """The time of publishing in words, UTC."""


class Renderer:
    """Fills the templates."""

    def __init__(self, state: PlatformState) -> None:
        self._state = state
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(
        self, template: str, viewer: Account | None, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """One page. ``viewer`` is the account that is signed in, if any."""
        defaults: Mapping[str, Any] = {"viewer": viewer, "alert": None, "compose": False}
        html = self._templates.get_template(template).render({**defaults, **values})
        return HTMLResponse(html, status_code=status, headers=_HEADERS)

    def post_view(self, post: Post) -> PostView:
        """What a page shows of a post."""
        author = self._state.accounts.by_id(post.user_id)
        moment = datetime.fromtimestamp(post.taken_at, UTC)
        return PostView(
            code=post.code,
            username=author.username if author else "",
            caption=post.caption,
            items=post.items,
            kind=_kind(post),
            published_iso=moment.isoformat(),
            published=f"{moment.day} {moment:%B %Y, %H:%M} UTC",
        )


def avatar_svg(username: str) -> str:
    """A round picture with the account's first letter, in a colour of its own."""
    letter = re.sub("[^a-z0-9]", "", username)[:1].upper() or "P"
    hue = _AVATAR_HUES[sum(username.encode()) % len(_AVATAR_HUES)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" fill="hsl({hue} 42% 88%)"/>'
        f'<text x="32" y="42" text-anchor="middle" font-family="system-ui, sans-serif" '
        f'font-size="28" font-weight="600" fill="hsl({hue} 48% 30%)">{letter}</text></svg>'
    )


def _kind(post: Post) -> str:
    if post.product_type == "carousel_container":
        return "Album"
    if post.product_type == "clips":
        return "Reel"
    return "Photo" if post.items[0].kind == "photo" else "Video"
