"""Media files on the agent, named by their content: received in pieces, verified, kept.

No path and no name ever comes from a peer: a file is called by its SHA-256, which is checked
before the file gets that name. Bytes are hashed and written in threads: the event loop, which
answers the desktop, only decides.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from common.domain.ids import is_sha256
from common.errors import ConflictError, InputError, MediaError, StoreError
from common.infra.paths import make_private_folder, sync_folder

_READ = 1024 * 1024
_FRESH_SECONDS = 3600.0
"""A blob younger than this is not evicted: the item that needs it may still be on its way."""
_ABANDONED_SECONDS = 24 * 3600.0
"""A part that nothing was added to for so long, and that no item needs, is not waited for."""
_OTHER_LINK = "Another link sends this file now."


class IncomingBlob:
    """One blob while it arrives. The piece on disk is whole up to `offset`.

    Its owner writes from threads, one call at a time; `close` may come from the loop meanwhile.
    """

    def __init__(self, sha256: str, size: int, part: Path) -> None:
        self.sha256 = sha256
        self.size = size
        self.offset = 0
        self.is_current = True
        """False once a newer link sends the same blob, or this one has ended."""
        self._hash = hashlib.sha256()
        self._file = part.open("ab+", buffering=0)
        self._in_use = threading.Lock()

    def take_up(self) -> None:
        """Go on behind what an earlier link brought: read it, for the hash.

        Raises ConflictError where another link took over, StoreError where the disk refuses.
        """
        with self._in_use:
            self._require_current()
            self._file.seek(0)
        while self._add_to_hash():
            pass
        if self.offset > self.size:
            with self._in_use:
                self._require_current()
                self._file.truncate(0)
            self._hash, self.offset = hashlib.sha256(), 0

    def write(self, offset: int, data: bytes) -> None:
        """Add the next bytes.

        Raises ConflictError where another link took over, InputError where bytes are missing or
        too many, StoreError where the disk refuses.
        """
        if offset != self.offset:
            raise InputError(f"Bytes from {offset} came where {self.offset} was due.")
        if offset + len(data) > self.size:
            raise InputError("More bytes came than the file was said to have.")
        with self._in_use:
            self._require_current()
            with _told_of_the_disk():
                self._write_all(data)
        self._hash.update(data)
        self.offset += len(data)

    def is_complete(self) -> bool:
        """Say whether every byte is here."""
        return self.offset == self.size

    def has_right_hash(self) -> bool:
        """Say whether the bytes are what their name says."""
        return self._hash.hexdigest() == self.sha256

    def sync(self) -> None:
        """Wait until the bytes are on the disk, and close the file."""
        with self._in_use:
            self._require_current()
            os.fsync(self._file.fileno())
            self._file.close()
            self.is_current = False

    def close(self) -> None:
        """Keep what is here, to go on later."""
        self.is_current = False
        with self._in_use:
            self._file.close()

    def _add_to_hash(self) -> bool:
        """Read one piece that is on disk; False at the end."""
        with self._in_use:
            self._require_current()
            with _told_of_the_disk():
                data = self._file.read(_READ)
        if not data:
            return False
        self._hash.update(data)
        self.offset += len(data)
        return True

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _require_current(self) -> None:
        if not self.is_current:
            raise ConflictError(_OTHER_LINK)


class BlobStore:
    """The folder of blobs. Used from one loop only."""

    def __init__(self, folder: Path, *, quota: int, reserve: int) -> None:
        """Keep up to `quota` bytes, and leave `reserve` bytes of the disk free."""
        self._folder = make_private_folder(folder)
        self._parts = make_private_folder(folder / "parts")
        self._quota = quota
        self._reserve = reserve
        self._sizes = _scan(folder)
        self._incoming: dict[str, IncomingBlob] = {}
        self._finishing: dict[str, asyncio.Event] = {}

    @property
    def stored_bytes(self) -> int:
        """Bytes of all complete blobs."""
        return sum(self._sizes.values())

    def has(self, sha256: str) -> bool:
        """Say whether the blob is here, whole."""
        return sha256 in self._sizes

    def path(self, sha256: str) -> Path:
        """Return where a blob lies; raises InputError where that is no SHA-256."""
        if not is_sha256(sha256):
            raise InputError("A file is not named by its SHA-256.", field="sha256")
        return self._folder / sha256[:2] / sha256

    @property
    def is_eviction_due(self) -> bool:
        """Say whether there may be something to evict."""
        return self.stored_bytes > self._quota or bool(self._abandoned_parts())

    def missing(self, sha256s: Collection[str]) -> list[str]:
        """Return those that are not here, each once, in order.

        Those that are here count as used now: an item that needs them is about to come.
        """
        return [sha256 for sha256 in dict.fromkeys(sha256s) if not self._touch(sha256)]

    async def begin(self, sha256: str, size: int) -> IncomingBlob | None:
        """Take a blob in, where it was left off; a newer link takes over from an older one.

        None where it is here already, or an older link was just putting it in its place. Raises
        StoreError where the disk has no room for it, ConflictError where another link took over.
        """
        path = self.path(sha256)
        while (finishing := self._finishing.get(sha256)) is not None:
            await finishing.wait()
        if self.has(sha256):
            return None
        self._require_room(size)
        previous = self._incoming.pop(sha256, None)
        if previous is not None:
            previous.close()
        incoming = IncomingBlob(sha256, size, self._parts / f"{path.name}.part")
        self._incoming[sha256] = incoming
        try:
            await in_thread(incoming.take_up)
        except BaseException:
            self._drop(incoming)
            raise
        return incoming

    async def complete(self, incoming: IncomingBlob) -> None:
        """Check a blob whose bytes are all here, and give it its name.

        Raises MediaError where its hash is wrong, after deleting what was here; ConflictError where
        another link took over; StoreError where the disk refuses.
        """
        if not incoming.is_current:
            raise ConflictError(_OTHER_LINK)
        part, path = self._part(incoming.sha256), self.path(incoming.sha256)
        if not incoming.has_right_hash():
            self._drop(incoming)
            part.unlink(missing_ok=True)
            raise MediaError("The file changed on its way, or was named wrongly.")
        finished = self._finishing[incoming.sha256] = asyncio.Event()

        def put_in_place() -> None:
            with _told_of_the_disk():
                incoming.sync()
                make_private_folder(path.parent)
                part.replace(path)
                sync_folder(path.parent)

        try:
            await in_thread(put_in_place)
            self._sizes[incoming.sha256] = incoming.size
        finally:
            self._drop(incoming)
            del self._finishing[incoming.sha256]
            finished.set()

    def abandon(self, incoming: IncomingBlob) -> None:
        """Stop taking a blob in; what is here stays, to go on later."""
        if incoming.is_current:
            self._drop(incoming)

    def evict(self, needed: Collection[str]) -> int:
        """Delete the least recently used blobs above the quota; returns how many.

        One that is `needed`, or fresh, is never deleted. Parts that nobody goes on with go, too.
        """
        for part in self._abandoned_parts():
            if part.stem not in needed:
                part.unlink(missing_ok=True)
        excess = self.stored_bytes - self._quota
        if excess <= 0:
            return 0
        deleted = 0
        for sha256, used in sorted(self._ages().items(), key=lambda pair: pair[1]):
            if excess <= 0 or used > time.time() - _FRESH_SECONDS:
                break
            if sha256 in needed:
                continue
            self.path(sha256).unlink(missing_ok=True)
            excess -= self._sizes.pop(sha256)
            deleted += 1
        self._drop_made()
        return deleted

    def close(self) -> None:
        """Close every file that is being written."""
        for incoming in tuple(self._incoming.values()):
            self._drop(incoming)

    def _drop_made(self) -> None:
        """Delete what was made of blobs that are gone: it lies in folders beside them, by name."""
        for made in self._folder.glob("??/*/*"):
            if made.name.split(".")[0] not in self._sizes:
                made.unlink(missing_ok=True)

    def _abandoned_parts(self) -> list[Path]:
        oldest = time.time() - _ABANDONED_SECONDS
        return [
            part
            for part in self._parts.glob("*.part")
            if part.stem not in self._incoming and part.stat().st_mtime < oldest
        ]

    def _part(self, sha256: str) -> Path:
        return self._parts / f"{sha256}.part"

    def _drop(self, incoming: IncomingBlob) -> None:
        incoming.close()
        if self._incoming.get(incoming.sha256) is incoming:
            del self._incoming[incoming.sha256]

    def _touch(self, sha256: str) -> bool:
        """Note that a blob is used now; False where it is not here, or its file was removed."""
        if not self.has(sha256):
            return False
        try:
            os.utime(self.path(sha256))
        except OSError:
            del self._sizes[sha256]
            return False
        return True

    def _require_room(self, size: int) -> None:
        free = shutil.disk_usage(self._folder).free
        if free - size < self._reserve:
            raise StoreError(
                f"The worker machine has {free // 2**20} MiB free; the file needs "
                f"{size // 2**20 + 1} MiB, and {self._reserve // 2**20} MiB are kept free.",
                advice="Free disk space on the worker machine.",
            )

    def _ages(self) -> dict[str, float]:
        ages: dict[str, float] = {}
        for sha256 in self._sizes:
            path = self.path(sha256)
            ages[sha256] = path.stat().st_mtime if path.exists() else 0.0
        return ages


@contextlib.contextmanager
def _told_of_the_disk() -> Iterator[None]:
    """Say in our words that the disk refuses."""
    try:
        yield
    except OSError as problem:
        raise StoreError(
            f"The agent could not store the file: {problem.strerror}.",
            advice="Free disk space on the worker machine.",
        ) from problem


async def in_thread(work: Callable[[], None]) -> None:
    """Do blocking work in a thread; a cancellation waits until the thread has let go of it."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # the one who would have heard of it has gone
        raise


def _scan(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.glob("??/*") if is_sha256(path.name)}
