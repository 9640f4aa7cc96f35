"""Opens and closes a store: lock, database, upgrade, vault, threads."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from common.errors import StoreError
from common.infra.ballast import Ballast
from desktop_app.store import meta
from desktop_app.store.disk_room import DiskRoom
from desktop_app.store.engine import WRITER, make_engine, sqlite_url
from desktop_app.store.executor import Executor, store_error
from desktop_app.store.folder import StoreFolder
from desktop_app.store.lock import StoreLock
from desktop_app.store.master_keys import VaultChoice, ask_nobody, open_vault
from desktop_app.store.upgrade import upgrade
from desktop_app.store.vault import Vault

T = TypeVar("T")
_ROOM_TO_OPEN = 256 * 1024
"""Bytes that opening takes: the database's own files, and where the core listens."""


class Store:
    """An open store. Made by `open_store`; `close` gives everything back."""

    def __init__(
        self, *, folder: StoreFolder, store_id: str, vault: Vault, executor: Executor,
        room: DiskRoom, resources: ExitStack,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.store_id = store_id
        self.vault = vault
        self.room = room
        """Says whether the disk is full."""
        self._executor = executor
        self._resources = resources

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction, off the event loop; see `Executor.write`."""
        return await self._executor.write(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a read transaction, off the event loop."""
        return await self._executor.read(work)

    def close(self) -> None:
        """Finish what is queued and let the data folder go. Blocks; safe to call twice."""
        self._resources.close()


def open_store(
    root: Path,
    *,
    vault: VaultChoice | None = None,
    url: str | None = None,
    ask_passphrase: Callable[[], str] = ask_nobody,
) -> Store:
    """Open the store of a data folder, or make it. Blocks: call it before the event loop runs.

    `url` names a PostgreSQL database to use instead of the SQLite file in the folder. Raises
    StoreInUseError where another core holds the folder, StoreError where the database cannot be
    used, and VaultError where the vault cannot be opened with the chosen source.
    """
    folder = StoreFolder(root)
    with ExitStack() as resources:
        folder.make()
        lock = StoreLock(folder.lock)
        resources.callback(lock.release)
        folder.sweep()
        room = DiskRoom(Ballast(folder.ballast))
        room.open_with(_ROOM_TO_OPEN)
        engine = make_engine(url or sqlite_url(folder.database))
        resources.callback(engine.dispose)
        try:
            _refuse_missing_vault(engine, folder)
            opened, store_id = open_vault(folder, vault, ask_passphrase=ask_passphrase)
            upgrade(engine, folder)
            _bind(engine, store_id)
        except SQLAlchemyError as problem:
            raise store_error(problem) from None
        executor = Executor(engine, room)
        resources.callback(executor.close)
        return Store(
            folder=folder,
            store_id=store_id,
            vault=opened,
            executor=executor,
            room=room,
            resources=resources.pop_all(),
        )
    raise AssertionError("unreachable")


def _refuse_missing_vault(engine: Engine, folder: StoreFolder) -> None:
    """A store whose vault record is gone must not get a new vault: its secrets would be lost."""
    if folder.vault.exists():
        return
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "meta"):
            return
        if meta.get(connection, meta.STORE_ID) is not None:
            raise StoreError(
                "This store has lost the record of its vault.",
                advice="Bring vault.json back from a backup of the data folder.",
                subject=str(folder.vault),
            )


def _bind(engine: Engine, store_id: str) -> None:
    """Tie the database to the vault's record; refuse one that belongs to another."""
    with engine.connect().execution_options(**{WRITER: True}) as connection, connection.begin():
        known = meta.get(connection, meta.STORE_ID)
        if known is None:
            meta.put(connection, meta.STORE_ID, store_id)
            meta.put(connection, meta.GENERATION, "1")
        elif known != store_id:
            raise StoreError(
                "This data folder and this database belong to different stores.",
                advice="Use the data folder that the database was made with.",
            )
