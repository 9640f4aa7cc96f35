"""The append-only files."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from practice.state.journal import Journal


def test_records_are_there_again_after_reopening(tmp_path: Path) -> None:
    first = Journal(tmp_path / "x.jsonl")
    first.append({"n": 1, "text": "zwei\nZeilen"})
    first.append({"n": 2})
    first.close()
    second = Journal(tmp_path / "x.jsonl")
    assert second.read() == [{"n": 1, "text": "zwei\nZeilen"}, {"n": 2}]
    second.close()


@given(kept=st.integers(0, 3), torn=st.binary(min_size=1, max_size=30))
def test_a_torn_last_line_is_dropped_and_appending_goes_on(kept: int, torn: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        lines = b"".join(b'{"n":%d}\n' % number for number in range(kept))
        path.write_bytes(lines + torn.replace(b"\n", b" "))
        journal = Journal(path)
        assert [record["n"] for record in journal.read()] == list(range(kept))
        journal.append({"n": "next"})
        assert journal.read()[-1] == {"n": "next"}
        journal.close()


def test_clearing_forgets_everything(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "x.jsonl")
    journal.append({"n": 1})
    journal.clear()
    journal.append({"n": 2})
    assert journal.read() == [{"n": 2}]
    journal.close()
