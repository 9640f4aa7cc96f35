"""The baseline of the bulk benchmark: a WebSocket over TLS that takes frames and drops them.

Usage: python -m tests.bench.raw_receiver FOLDER BYTES; prints its port. It says `done` on the link
once BYTES have arrived.
"""

import asyncio
import sys
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve

from agent.server.certificate import load_identity
from common.protocol.frames import BULK_MESSAGE_LIMIT


async def _serve(folder: Path, expected: int) -> None:
    done = asyncio.Event()

    async def take(socket: ServerConnection) -> None:
        left = expected
        while left > 0:
            left -= len(await socket.recv())
        await socket.send("done")
        await socket.wait_closed()
        done.set()

    context = load_identity(folder).server_context()
    settings = {"ssl": context, "compression": None, "max_size": BULK_MESSAGE_LIMIT}
    async with serve(take, "127.0.0.1", 0, **settings) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await done.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
