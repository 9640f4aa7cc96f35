"""The baseline of the durability benchmark: an outbox over a WebSocket, and nothing else.

One process writes events into SQLite (WAL, FULL) a hundred to a transaction and sends them over
TLS. The other reads each message into values of its own three kinds, and in one transaction keeps
the events, notes of what each is about how it is now, and moves its cursor; then it acknowledges.
There are no other messages, no rules of what may follow what, and nobody is informed.

With `text` the other process applies and validates nothing: it keeps each event as it came.

Usage: python -m tests.bench.bare_outbox send FOLDER EVENTS live|backlog
           prints its port, and at the end the seconds until everything was acknowledged
       python -m tests.bench.bare_outbox receive FOLDER PORT values|text
"""

import asyncio
import json
import sqlite3
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from agent.server.certificate import load_identity
from common.domain.ids import new_id
from tests.bench.mix import BATCH, ITEMS, event_of

WINDOW = 1000
_KEEP = "INSERT INTO event VALUES (?, ?, ?)"
_NOTE = (
    "INSERT INTO thing VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = "
    "excluded.state, step = excluded.step, attempt = excluded.attempt, at = excluded.at"
)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _ItemChanged(_Value):
    kind: Literal["item_changed"]
    item_id: str
    attempt: int
    state: str
    step: str

    def now(self, at: float) -> tuple[object, ...]:
        return self.item_id, self.state, self.step, self.attempt, at


class _ActionChanged(_Value):
    kind: Literal["action_changed"]
    action_id: str
    item_id: str
    attempt: int
    account_id: str
    operation: str
    state: str
    driver: str
    resume: dict[str, str]

    def now(self, at: float) -> tuple[object, ...]:
        return self.item_id, self.state, self.operation, self.attempt, at


class _AccountObserved(_Value):
    kind: Literal["account_observed"]
    account_id: str
    sign_in: str
    driver: str

    def now(self, at: float) -> tuple[object, ...]:
        return self.account_id, self.sign_in, "", 0, at


class _Row(_Value):
    seq: int
    at: float
    body: Annotated[_ItemChanged | _ActionChanged | _AccountObserved, Field(discriminator="kind")]


class _Rows(_Value):
    rows: list[_Row]


_ROWS = TypeAdapter(_Rows)


class _Sender:
    def __init__(self, folder: Path, count: int, *, is_backlog: bool) -> None:
        self._database = _open(
            folder / "sender.sqlite",
            "CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, body TEXT)",
        )
        things = [(new_id(), new_id()) for _ in range(ITEMS)]
        self._bodies = [event_of(things, number).model_dump_json() for number in range(count)]
        self._count = count
        self._is_backlog = is_backlog
        self._written = 0
        self._acknowledged = 0
        self._moved = asyncio.Event()
        self.seconds = 0.0
        self.done = asyncio.Event()

    def write_batch(self) -> None:
        now = time.time()
        rows = [(now, body) for body in self._bodies[self._written : self._written + BATCH]]
        with _transaction(self._database) as database:
            database.execute("DELETE FROM outbox WHERE seq <= ?", (self._acknowledged,))
            database.executemany("INSERT INTO outbox (at, body) VALUES (?, ?)", rows)
        self._written += BATCH

    def fill(self) -> None:
        while self._written < self._count:
            self.write_batch()

    async def serve(self, socket: ServerConnection) -> None:
        began = time.perf_counter()
        listening = asyncio.create_task(self._listen(socket), name="acknowledgements")
        sent = 0
        while sent < self._count:
            while sent + BATCH - self._acknowledged > WINDOW:
                self._moved.clear()
                await self._moved.wait()
            if not self._is_backlog:
                await asyncio.to_thread(self.write_batch)
            found = self._database.execute(
                "SELECT seq, at, body FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (sent, BATCH)
            )
            rows = [f'{{"seq":{seq},"at":{at},"body":{body}}}' for seq, at, body in found]
            await socket.send(f'{{"rows":[{",".join(rows)}]}}')
            sent += len(rows)
        await listening
        self.seconds = time.perf_counter() - began
        self.done.set()

    async def _listen(self, socket: ServerConnection) -> None:
        while self._acknowledged < self._count:
            self._acknowledged = int(await socket.recv())
            self._moved.set()


async def _send(folder: Path, count: int, *, is_backlog: bool) -> None:
    sender = _Sender(folder, count, is_backlog=is_backlog)
    if is_backlog:
        sender.fill()
    context = load_identity(folder).server_context()
    async with serve(sender.serve, "127.0.0.1", 0, ssl=context, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await sender.done.wait()
    print(sender.seconds)


async def _receive(folder: Path, port: int, take: Callable[[sqlite3.Connection, str], int]) -> None:
    database = _open(
        folder / "receiver.sqlite",
        "CREATE TABLE event (seq INTEGER PRIMARY KEY, at REAL, body TEXT)",
        "CREATE TABLE thing (id TEXT PRIMARY KEY, state TEXT, step TEXT, attempt INTEGER, at REAL)",
        "CREATE TABLE cursor (seq INTEGER)",
        "INSERT INTO cursor VALUES (0)",
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(load_identity(folder).certificate_file)
    async with connect(f"wss://127.0.0.1:{port}", ssl=context, compression=None) as socket:
        async for text in socket:
            assert isinstance(text, str)
            await socket.send(str(await asyncio.to_thread(take, database, text)))


def _take_values(database: sqlite3.Connection, text: str) -> int:
    rows = _ROWS.validate_json(text).rows
    with _transaction(database):
        database.executemany(_KEEP, [(row.seq, row.at, row.body.model_dump_json()) for row in rows])
        database.executemany(_NOTE, [row.body.now(row.at) for row in rows])
        database.execute("UPDATE cursor SET seq = ?", (rows[-1].seq,))
    return rows[-1].seq


def _take_text(database: sqlite3.Connection, text: str) -> int:
    rows = json.loads(text)["rows"]
    with _transaction(database):
        database.executemany(
            _KEEP, [(row["seq"], row["at"], json.dumps(row["body"])) for row in rows]
        )
        database.execute("UPDATE cursor SET seq = ?", (rows[-1]["seq"],))
    return int(rows[-1]["seq"])


class _transaction:  # noqa: N801 - reads as a verb where it is used
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.execute("COMMIT")


def _open(path: Path, *tables: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    for table in tables:
        database.execute(table)
    return database


def main() -> None:
    verb, folder, number, how = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    if verb == "send":
        asyncio.run(_send(folder, number, is_backlog=how == "backlog"))
    else:
        take = {"values": _take_values, "text": _take_text}[how]
        asyncio.run(_receive(folder, number, take))


if __name__ == "__main__":
    main()
