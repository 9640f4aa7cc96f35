"""Small pictures of the library's files, read once and kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from common.errors import FlotillaError
from desktop_app.ui.aio import Tasks
from desktop_app.ui.models.core_port import Core

_KEPT = 600
_AT_ONCE = 4


class Thumbnails(QObject):
    """A cache of pictures by SHA-256; asking for a missing one fetches it."""

    arrived = Signal(str)

    def __init__(self, core: Core, tasks: Tasks) -> None:
        super().__init__()
        self._core = core
        self._tasks = tasks
        self._images: OrderedDict[str, QImage] = OrderedDict()
        self._asked: set[str] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def get(self, sha256: str) -> QImage | None:
        """Return the picture, or None while it is on its way (`arrived` follows)."""
        image = self._images.get(sha256)
        if image is not None:
            self._images.move_to_end(sha256)
        elif sha256 not in self._asked:
            self._asked.add(sha256)
            self._tasks.spawn(self, self._fetch(sha256), f"thumbnail {sha256[:8]}")
        return image

    async def _fetch(self, sha256: str) -> None:
        async with self._slots:
            try:
                data = await self._core.thumbnail(sha256)
            except FlotillaError:
                data = b""  # a card without a picture says enough
        self._images[sha256] = QImage.fromData(data)
        while len(self._images) > _KEPT:
            dropped, _ = self._images.popitem(last=False)
            self._asked.discard(dropped)
        self.arrived.emit(sha256)
