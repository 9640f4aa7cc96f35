import pytest

from common.errors import InputError
from common.security.pairing import PairingLine, agent_id_of, new_code, parse_pairing_line

AGENT = agent_id_of(b"certificate")
CODE = "abcdefghijklmnopqrstuv"


@pytest.mark.parametrize("host", ["127.0.0.1", "worker-3.example", "::1"])
def test_a_line_reads_back_as_it_was_printed(host: str) -> None:
    line = PairingLine(host, 8088, AGENT, new_code())
    assert parse_pairing_line(f"  {line}\n") == line


def test_its_repr_keeps_the_code_to_itself() -> None:
    line = PairingLine("127.0.0.1", 8088, AGENT, new_code())
    assert line.code not in repr(line)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "pairing line"),
        ("https://host:1/x#y", "pairing line"),
        (f"flotilla://host:99999/{AGENT}#{CODE}", "pairing line"),
        (f"flotilla://host/{AGENT}#{CODE}", "port"),
        (f"flotilla://host:1/{AGENT[:-1]}#{CODE}", "agent id"),
        (f"flotilla://host:1/{AGENT}", "code"),
        (f"flotilla://host:1/{AGENT}#short", "code"),
    ],
)
def test_a_wrong_line_is_refused_by_the_part_that_is_wrong(text: str, field: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_pairing_line(text)
    assert refused.value.field == field
    assert "flotilla-agent pair" in refused.value.advice
