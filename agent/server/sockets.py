"""Writing to a WebSocket that may be closed already; the one place that knows how that shows."""

from starlette.websockets import WebSocket, WebSocketDisconnect

_NO_CODE = 1006


async def send(socket: WebSocket, data: str | bytes) -> None:
    """Write one message. Raises WebSocketDisconnect where the link is closed.

    The server closes by itself over bytes that are no WebSocket, and takes what is written then
    for a mistake of the application's (RuntimeError).
    """
    kind = "text" if isinstance(data, str) else "bytes"
    try:
        await socket.send({"type": "websocket.send", kind: data})
    except RuntimeError:
        raise WebSocketDisconnect(_NO_CODE) from None
