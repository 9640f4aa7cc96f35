"""The control links that are open: one per owning store, a few that watch."""

import logging
from typing import Protocol

from common.errors import ConflictError, FlotillaError, LinkError

_LOG = logging.getLogger(__name__)
_LINKS = 8


class Link(Protocol):
    """One control link, as its siblings see it."""

    @property
    def store_id(self) -> str:
        """The store that dialled."""
        ...

    def end(self, error: FlotillaError) -> None:
        """Say goodbye and close."""
        ...


class Links:
    """Every open control link."""

    def __init__(self) -> None:
        self._links: list[Link] = []

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._links)

    def opened(self, link: Link) -> None:
        """Take a link in; an older one of the same store gives way.

        Raises LinkError where too many stores are linked already.
        """
        for older in [other for other in self._links if other.store_id == link.store_id]:
            _LOG.info("A newer link of store %s replaces an older one.", link.store_id)
            older.end(ConflictError("This desktop has opened a newer link to the agent."))
            self._links.remove(older)
        if len(self._links) >= _LINKS:
            raise LinkError("Too many desktops are linked to this agent.")
        self._links.append(link)

    def closed(self, link: Link) -> None:
        """Forget a link."""
        if link in self._links:
            self._links.remove(link)

    def end_all(self, error: FlotillaError) -> None:
        """Say goodbye to everyone."""
        for link in tuple(self._links):
            link.end(error)
