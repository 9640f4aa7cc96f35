"""Runs the benchmarks named on the command line, or all of them, and prints Markdown tables."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.bench import durability, fsyncs, latency, links, memory, publish, report, startup

_ALL = {
    "publish": publish,
    "startup": startup,
    "memory": memory,
    "latency": latency,
    "durability": durability,
    "links": links,
    "fsyncs": fsyncs,
}


def main() -> int:
    """Run and print; status 2 where a name is not known."""
    names = sys.argv[1:] or list(_ALL)
    if unknown := set(names) - set(_ALL):
        print(f"There is no benchmark {', '.join(sorted(unknown))}. There are: {', '.join(_ALL)}.")
        return 2
    for name in names:
        with tempfile.TemporaryDirectory(prefix="flotilla-bench-") as folder:
            figures = asyncio.run(_ALL[name].measure(Path(folder)))
        print(f"\n{(_ALL[name].__doc__ or '').strip()}\n\n{report.table(figures)}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
