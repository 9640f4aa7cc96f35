"""Keeps tests on this machine: sockets of a test process reach loopback addresses only."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class OutsideAddressError(Exception):
    """A test tried to reach another machine.

    No OSError, so that code which expects networks to fail does not swallow it.
    """


def is_local(host: object) -> bool:
    """Whether a host, as sockets take it, is this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(name).split("%", 1)[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def loopback_only() -> Iterator[list[str]]:
    """Refuse other addresses in this process; yields a list that collects the refused ones."""
    refused: list[str] = []

    def check(host: object) -> None:
        if not is_local(host):
            refused.append(str(host))
            raise OutsideAddressError(f"A test may reach loopback addresses only, not {host!r}.")

    def guard_method(original: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(self: socket.socket, *arguments: Any) -> Any:
            address = arguments[-1]
            if self.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple):
                check(address[0])
            return original(self, *arguments)

        return guarded

    def guarded_lookup(host: Any, *arguments: Any, **keywords: Any) -> Any:
        if not (isinstance(host, (str, bytes)) and is_address(host)):
            check(host)
        return lookup(host, *arguments, **keywords)

    names = ("connect", "connect_ex", "sendto")
    originals = {name: getattr(socket.socket, name) for name in names}
    lookup = socket.getaddrinfo
    for name, original in originals.items():
        setattr(socket.socket, name, guard_method(original))
    socket.getaddrinfo = guarded_lookup
    try:
        yield refused
    finally:
        for name, original in originals.items():
            setattr(socket.socket, name, original)
        socket.getaddrinfo = lookup


def is_address(host: str | bytes) -> bool:
    """Whether a host is written as an address, so that looking it up asks nobody."""
    try:
        ipaddress.ip_address((host.decode() if isinstance(host, bytes) else host).split("%", 1)[0])
    except ValueError:
        return False
    return True
