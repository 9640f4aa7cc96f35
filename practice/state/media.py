"""Stored bytes: whole files by the digest of their content, and uploads that are under way."""

import hashlib
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


class OffsetError(ValueError):
    """A chunk doesn't continue where the upload stands; ``stands_at`` says where it does."""

    def __init__(self, stands_at: int) -> None:
        super().__init__(f"The upload stands at byte {stands_at}.")
        self.stands_at = stands_at


class MediaStore:
    """Content-addressed files under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._make_folders()

    def put(self, content: bytes) -> str:
        """Keep these bytes and return their digest."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        if not path.exists():
            staged = self._folder / "partial" / f"{sha256}.put"
            staged.write_bytes(content)
            staged.replace(path)
        return sha256

    def find(self, sha256: str) -> Path | None:
        """The file with this digest. Anything that isn't a digest finds nothing."""
        if not _SHA256.fullmatch(sha256):
            return None
        path = self._path(sha256)
        return path if path.is_file() else None

    def partial(self, user_id: int, name: str) -> "PartialUpload":
        """The upload that ``user_id`` calls ``name``; the name never becomes part of a path."""
        key = hashlib.sha256(f"{user_id}/{name}".encode()).hexdigest()
        return PartialUpload(self, self._folder / "partial" / f"{key}.part")

    def adopt(self, path: Path) -> str:
        """Move a finished upload to its place and return its digest."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        path.replace(self._path(sha256))
        return sha256

    def clear(self) -> None:
        """Remove every file."""
        shutil.rmtree(self._folder)
        self._make_folders()

    def _make_folders(self) -> None:
        (self._folder / "partial").mkdir(parents=True, exist_ok=True)
        for first in range(256):
            (self._folder / f"{first:02x}").mkdir(exist_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256


class PartialUpload:
    """One upload that arrives in pieces. What has arrived survives a cut and a restart."""

    def __init__(self, store: MediaStore, path: Path) -> None:
        self._store = store
        self.path = path

    def received(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    async def write(self, offset: int, chunks: AsyncIterator[bytes]) -> int:
        """Add chunks from ``offset`` on and return how many bytes there are now.

        Offset 0 starts again. Raises ``OffsetError`` when ``offset`` is anywhere else than at
        the end of what has arrived.
        """
        if offset not in (0, self.received()):
            raise OffsetError(self.received())
        with self.path.open("ab" if offset else "wb", buffering=0) as file:
            async for chunk in chunks:
                file.write(chunk)
        return self.received()

    def finish(self) -> str:
        """Keep the whole upload and return its digest."""
        return self._store.adopt(self.path)

    def discard(self) -> None:
        """Forget what has arrived."""
        self.path.unlink(missing_ok=True)
