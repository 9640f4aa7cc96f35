"""Where things lie in a store's data folder."""

from dataclasses import dataclass
from pathlib import Path

from common.infra.paths import make_private_folder
from desktop_app.contract.routes import ENDPOINT_FILE


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """The layout of one data folder."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file; unused where the store lives in PostgreSQL."""
        return self.root / "flotilla.db"

    @property
    def lock(self) -> Path:
        """Held by the one core that uses this folder."""
        return self.root / "core.lock"

    @property
    def endpoint(self) -> Path:
        """Where the core listens, while it runs."""
        return self.root / ENDPOINT_FILE

    @property
    def vault(self) -> Path:
        """Where the vault's master key comes from, and the sealed data key."""
        return self.root / "vault.json"

    @property
    def ballast(self) -> Path:
        """Takes room that the store gets when the disk is full."""
        return self.root / "ballast.bin"

    @property
    def backups(self) -> Path:
        """Copies of the database from before each upgrade."""
        return self.root / "backups"

    @property
    def media(self) -> Path:
        """The library's files, each under its SHA-256."""
        return self.root / "media"

    @property
    def thumbnails(self) -> Path:
        """One JPEG per file of the library."""
        return self.root / "thumbnails"

    @property
    def logs(self) -> Path:
        """The core's own log, and one log per run."""
        return self.root / "logs"

    def media_file(self, sha256: str) -> Path:
        """Return where the bytes of a media file lie."""
        return self.media / sha256

    def thumbnail_file(self, sha256: str) -> Path:
        """Return where the small picture of a media file lies."""
        return self.thumbnails / f"{sha256}.jpg"

    def run_log(self, run_id: str) -> Path:
        """Return where the lines of a run's log are collected."""
        return self.logs / f"run-{run_id}.jsonl"

    def make(self) -> "StoreFolder":
        """Create what is missing, closed to other users."""
        for folder in (self.root, self.media, self.thumbnails, self.logs):
            make_private_folder(folder)
        return self

    def sweep(self) -> None:
        """Remove files that were never finished. For who holds the lock, before it writes any."""
        for folder in (self.root, self.media, self.thumbnails):
            for left in folder.glob("*.partial"):
                left.unlink(missing_ok=True)
