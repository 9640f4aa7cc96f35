"""The program of a runner: `python -m agent.runners.main --kind api|browser`.

Talks to the agent over standard input and output and ends when its input closes. Libraries that
print are led to standard error.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys

import psutil

from agent.runners.connection import PipeReader, PipeWriter
from agent.runners.hosts import DriverHost
from agent.runners.messages import RunnerKind
from agent.runners.runner import Runner
from agent.runners.secrets import SecretBook
from common.infra.logs import start_logging

_LAST_WORDS_SECONDS = 2.0
_NICENESS = 5


def main() -> None:
    """Run until told to stop."""
    arguments = _parser().parse_args()
    incoming, outgoing = _take_over_pipe()
    _lead_own_group()
    _step_back()
    secrets = SecretBook()
    start_logging(secrets.process, None)
    try:
        asyncio.run(_serve(arguments, incoming, outgoing, secrets))
    except BaseException:
        logging.getLogger(__name__).exception("the runner ended by a defect")
        _leave(1)
    _leave(0)


async def _serve(
    arguments: argparse.Namespace, incoming: int, outgoing: int, secrets: SecretBook
) -> None:
    reader, writer = PipeReader(incoming), PipeWriter(outgoing)
    writer.start()
    host = _make_host(arguments, writer)
    _end_on_terminate(reader)
    reader.start()
    try:
        await Runner(host, writer, secrets).serve(reader.stream)
    finally:
        writer.close(_LAST_WORDS_SECONDS)


def _make_host(arguments: argparse.Namespace, writer: PipeWriter) -> DriverHost:
    # Imported here so that neither kind pays for the other's libraries.
    if RunnerKind(arguments.kind) is RunnerKind.API:
        from agent.drivers.private_api.host import PrivateApiHost

        return PrivateApiHost(threads=arguments.threads, uploads_at_once=arguments.uploads_at_once)
    from agent.drivers.browser.host import BrowserHost

    return BrowserHost(
        slots=arguments.slots, visible=arguments.visible, send_screen=writer.send_screen
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agent.runners.main", description=__doc__)
    parser.add_argument("--kind", required=True, choices=[kind.value for kind in RunnerKind])
    parser.add_argument("--threads", type=int, default=16, help="API calls at once")
    parser.add_argument("--uploads-at-once", type=int, default=4)
    parser.add_argument("--slots", type=int, default=4, help="browsers open at once")
    parser.add_argument("--visible", action="store_true", help="show the browsers' windows")
    return parser


def _take_over_pipe() -> tuple[int, int]:
    """Keep the pipe for ourselves; whoever reads a console finds nothing, whoever prints, logs."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return incoming, outgoing


def _step_back() -> None:
    """Run below the agent's main process, which must answer its desktop while we are busy."""
    # Windows alone has priority classes; psutil knows the name nowhere else.
    lower = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", _NICENESS)
    psutil.Process().nice(lower)


def _lead_own_group() -> None:
    """Leave the terminal's group, so that Ctrl+C there stops us through the agent alone."""
    if sys.platform != "win32" and os.getsid(0) != os.getpid():
        with contextlib.suppress(PermissionError):
            os.setsid()


def _end_on_terminate(reader: PipeReader) -> None:
    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, reader.stream.feed_eof)


def _leave(status: int) -> None:
    """End at once: a thread that waits for the world must not keep the process alive."""
    logging.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()
