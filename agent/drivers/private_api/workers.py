"""The threads in which the synchronous library runs, shared by all accounts of a runner."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Workers:
    """A bounded number of calls at once, and fewer of them uploads: those hold files in memory."""

    def __init__(self, threads: int, uploads_at_once: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="account")
        self._uploads = asyncio.Semaphore(uploads_at_once)

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread. It cannot be interrupted; its requests have deadlines.

        Waits for the thread even where the waiting task is cancelled: a client must never be used
        by two threads.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    async def run_upload(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread once an upload slot is free."""
        async with self._uploads:
            return await self.run(work)

    def close(self) -> None:
        """Take no more work; what runs ends with its deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)
