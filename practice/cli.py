"""The command ``flotilla-practice``."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from practice.server import AddressError, Addresses, Options, serve
from practice.state.lock import FolderInUseError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _options(_parser().parse_args(arguments))
    try:
        asyncio.run(serve(options, _announce))
    except (AddressError, FolderInUseError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The folder {options.data} can't be used: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flotilla-practice",
        description="A local platform to practise on. Nothing it does reaches the real one.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("serve", help="serve the practice platform until stopped")
    command.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder that keeps everything"
    )
    command.add_argument("--host", default="127.0.0.1", help="loopback address (127.0.0.1)")
    for name, purpose in (("port", "pages and private API"), ("admin-port", "admin API")):
        command.add_argument(f"--{name}", type=_port, default=0, help=f"port of the {purpose}")
    command.add_argument("--proxy-port", type=_port, default=0, help="port of the proxy")
    command.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="JSON file written once listening"
    )
    return parser


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a port; use 0 to 65535")
    return number


def _options(parsed: argparse.Namespace) -> Options:
    return Options(
        data=parsed.data,
        host=parsed.host,
        port=parsed.port,
        admin_port=parsed.admin_port,
        proxy_port=parsed.proxy_port,
        ready_file=parsed.ready_file,
    )


def _announce(addresses: Addresses) -> None:
    print(
        f"Practice platform on {addresses.url} (admin {addresses.admin_url}, "
        f"proxy {addresses.proxy_url}). Stop it with Ctrl+C.",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
