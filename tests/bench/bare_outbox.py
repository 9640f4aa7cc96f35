"""The baseline of the durability benchmark: an outbox over a WebSocket, and nothing else.

One process writes events into SQLite (WAL, FULL) a hundred to a transaction and sends them over
TLS; the other writes them into its own SQLite with a cursor, in one transaction, and acknowledges.
No messages but these two, nothing validated, nobody informed.

Usage: python -m tests.bench.bare_outbox send FOLDER EVENTS live|backlog
           prints its port, and at the end the seconds until everything was acknowledged
       python -m tests.bench.bare_outbox receive FOLDER PORT
"""

import asyncio
import json
import sqlite3
import ssl
import sys
import time
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from agent.server.certificate import load_identity

BATCH = 100
WINDOW = 1000
_BODY = json.dumps(
    {
        "kind": "item_changed",
        "item_id": "01JDM0000000000000000000ID",
        "attempt": 1,
        "state": "running",
        "step": "Uploading",
        "error": None,
        "result": {},
        "log_end": 0,
    }
)


class _Sender:
    def __init__(self, folder: Path, count: int, *, is_backlog: bool) -> None:
        self._database = _open(
            folder / "sender.sqlite",
            "CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, body TEXT)",
        )
        self._count = count
        self._is_backlog = is_backlog
        self._written = 0
        self._acknowledged = 0
        self._moved = asyncio.Event()
        self.seconds = 0.0
        self.done = asyncio.Event()

    def write_batch(self) -> None:
        rows = [(time.time(), _BODY)] * BATCH
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


async def _receive(folder: Path, port: int) -> None:
    database = _open(
        folder / "receiver.sqlite",
        "CREATE TABLE event (seq INTEGER PRIMARY KEY, at REAL, body TEXT)",
        "CREATE TABLE cursor (seq INTEGER)",
        "INSERT INTO cursor VALUES (0)",
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(load_identity(folder).certificate_file)
    async with connect(f"wss://127.0.0.1:{port}", ssl=context, compression=None) as socket:
        async for text in socket:
            rows = [(row["seq"], row["at"], row["body"]) for row in json.loads(text)["rows"]]
            await asyncio.to_thread(_apply, database, rows)
            await socket.send(str(rows[-1][0]))


def _apply(database: sqlite3.Connection, rows: list[tuple[int, float, dict[str, str]]]) -> None:
    with _transaction(database):
        database.executemany(
            "INSERT INTO event VALUES (?, ?, ?)",
            [(seq, at, json.dumps(body)) for seq, at, body in rows],
        )
        database.execute("UPDATE cursor SET seq = ?", (rows[-1][0],))


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
    verb, folder, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if verb == "send":
        asyncio.run(_send(folder, number, is_backlog=sys.argv[4] == "backlog"))
    else:
        asyncio.run(_receive(folder, number))


if __name__ == "__main__":
    main()
