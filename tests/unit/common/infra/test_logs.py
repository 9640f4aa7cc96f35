import logging

from common.infra.logs import RedactingFormatter
from common.security.redaction import Redactor


def test_a_secret_is_taken_out_of_message_arguments_and_traceback() -> None:
    formatter = RedactingFormatter(Redactor(["hunter2hunter2"]))
    try:
        raise ValueError("bad password hunter2hunter2")
    except ValueError as error:
        record = logging.LogRecord(
            "flotilla", logging.ERROR, __file__, 1, "refused %s", ("hunter2hunter2",),
            (ValueError, error, error.__traceback__),
        )  # fmt: skip
    text = formatter.format(record)
    assert "hunter2" not in text
    assert text.count("[secret]") == 3
