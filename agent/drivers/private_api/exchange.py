"""What went over the wire, as values: one request with its answer, or the reason there is none."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Cut(StrEnum):
    """Why a request has no answer. It decides whether the request can have had an effect."""

    NOT_SENT = "not_sent"
    """No connection: the request provably never left."""
    PROXY = "proxy"
    """The proxy refused or could not be reached: the request provably never left."""
    NO_ANSWER = "no_answer"
    """It may have arrived: time ran out, the connection was cut, or half an answer came."""
    FORBIDDEN = "forbidden"
    """Our own allow-list stopped it."""
    CANCELLED = "cancelled"
    """The operator stopped the item before this request."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back. Holds no header and no secret of the request."""

    method: str
    host: str
    path: str
    """Without the query."""
    seconds: float = 0.0
    status: int | None = None
    """None where no answer came."""
    text: str = ""
    """The answer's text, for answers that are not a success; else empty."""
    body: dict[str, Any] | None = None
    """The answer as JSON object, for answers that are not a success."""
    platform_time: float | None = None
    """The platform's clock by the answer's Date, seconds since 1970; None where it has none."""
    cut: Cut | None = None
    detail: str = ""
    """Why it was cut, without addresses or secrets."""

    def line(self) -> str:
        """Return it as one line for a log."""
        end = str(self.status) if self.status is not None else f"{self.cut}: {self.detail}"
        return f"{self.method} {self.path} {end} {self.seconds * 1000:.0f} ms"


class TransportCutError(Exception):
    """A request got no answer.

    Related to none of the exceptions of requests, so that the library can neither take it for one
    of its own nor send again because of it.
    """

    def __init__(self, cut: Cut, detail: str) -> None:
        super().__init__(f"{cut}: {detail}")
        self.cut = cut
        self.detail = detail
