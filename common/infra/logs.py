"""Logging set-up with redaction at the source; every process of ours calls `start_logging`."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from common.security.redaction import Redactor, plain_text

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_FILE_BYTES = 8 * 1024 * 1024
_FILES_KEPT = 3
_QUIET = ("instagrapi", "private_request", "public_request", "httpx", "httpcore", "urllib3")
"""Libraries that would write requests, and with them sessions, into a log."""


class RedactingFormatter(logging.Formatter):
    """Formats a record, with its exception, and takes the known secrets out of it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(_FORMAT)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line or more, without a known secret."""
        return self._redactor.clean(plain_text(super().format(record)))


def start_logging(
    redactor: Redactor, file: Path | None, *, level: int = logging.INFO, console: bool = True
) -> None:
    """Log to standard error unless `console` is off, and to `file` where one is given."""
    handlers: list[logging.Handler] = [logging.StreamHandler()] if console else []
    if file is not None:
        handlers.append(
            RotatingFileHandler(
                file, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8"
            )
        )
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(RedactingFormatter(redactor))
        root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
