"""Tests stay on this machine, and are told when they try to leave it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.support.network import OutsideAddressError, loopback_only


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("example.invalid", 443)])
def test_connecting_to_another_machine_is_refused_and_remembered(address: tuple[str, int]) -> None:
    with loopback_only() as refused:
        with socket.socket() as client, pytest.raises(OutsideAddressError):
            client.connect(address)
        assert refused == [address[0]]


def test_a_name_of_another_machine_is_not_even_looked_up() -> None:
    with loopback_only() as refused, pytest.raises(OutsideAddressError):
        socket.getaddrinfo("example.invalid", 443)
    assert refused == ["example.invalid"]


async def test_asyncio_is_held_back_too() -> None:
    with loopback_only() as refused:
        with pytest.raises(OutsideAddressError):
            await asyncio.wait_for(asyncio.open_connection("192.0.2.1", 443), 5)
        assert refused == ["192.0.2.1"]


async def test_loopback_works() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 5)
        writer.write(b"here\n")
        assert await asyncio.wait_for(reader.readline(), 5) == b"here\n"
        writer.close()
        await writer.wait_closed()
