"""Decodes screens off the window's thread. Per account the newest frame wins; none queue up."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QObject, QSize, Qt, QThreadPool, Signal
from PySide6.QtGui import QImage, QImageReader

_MOST_SIDE = 4096
"""Pictures come from an agent: larger ones are not decoded."""
_END_MILLISECONDS = 2000


class FrameDecoder(QObject):
    """Turns JPEGs into images of the size they are shown at."""

    decoded = Signal(str, QImage)

    def __init__(self) -> None:
        super().__init__()
        self._pool = QThreadPool()
        self._pool.setMaxThreadCount(2)
        self._busy: set[str] = set()
        self._next: dict[str, tuple[bytes, QSize]] = {}
        self.decoded.connect(self._done, Qt.ConnectionType.QueuedConnection)

    def decode(self, account_id: str, jpeg: bytes, size: QSize) -> None:
        """Decode a frame to fit `size` (in pixels); `decoded` follows unless a newer one comes."""
        if account_id in self._busy:
            self._next[account_id] = (jpeg, size)
            return
        self._busy.add(account_id)
        self._pool.start(lambda: self.decoded.emit(account_id, read_frame(jpeg, size)))

    def close(self) -> None:
        """Wait for the threads."""
        self._next.clear()
        self._pool.waitForDone(_END_MILLISECONDS)

    def _done(self, account_id: str, _image: QImage) -> None:
        self._busy.discard(account_id)
        waiting = self._next.pop(account_id, None)
        if waiting is not None:
            self.decode(account_id, *waiting)


def read_frame(jpeg: bytes, size: QSize) -> QImage:
    """Return the picture scaled down to fit `size`; a null image where it cannot be read."""
    buffer = QBuffer()
    buffer.setData(QByteArray(jpeg))
    reader = QImageReader(buffer, QByteArray(b"jpeg"))
    own = reader.size()
    if not own.isValid() or max(own.width(), own.height()) > _MOST_SIDE:
        return QImage()
    if own.width() > size.width() or own.height() > size.height():
        reader.setScaledSize(own.scaled(size, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
