"""The `flotilla` program as a person or a script starts it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).resolve().parents[2]
_SECONDS = 60.0


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int
    output: str
    errors: str

    @property
    def value(self) -> Any:
        """What was printed as JSON."""
        return json.loads(self.output)

    @property
    def error(self) -> Any:
        """The error that was printed as JSON."""
        return json.loads(self.errors)


async def flotilla(data: Path, *arguments: str, typed: str = "") -> Said:
    """Run `flotilla --json` on a data folder; `typed` goes to its standard input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "desktop_app.cli", "--data", str(data), "--json", *arguments),
        cwd=_REPOSITORY,
        env=dict(os.environ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            output, errors = await process.communicate(typed.encode())
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return Said(process.returncode or 0, output.decode(), errors.decode())
