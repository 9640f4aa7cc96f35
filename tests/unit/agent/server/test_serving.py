import socket

from agent.server.serving import _bind


def test_small_messages_leave_at_once() -> None:
    # asyncio sets TCP_NODELAY on what such a listener accepts, and on no other.
    with _bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
