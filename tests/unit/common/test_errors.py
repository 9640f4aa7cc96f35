import pytest

from common.errors import FlotillaError, WireError, from_wire


def every_class(root: type[FlotillaError] = FlotillaError) -> list[type[FlotillaError]]:
    """Return the shared tree; a room's own errors stay in that room and cross as their parent."""
    found = [root] + [cls for child in root.__subclasses__() for cls in every_class(child)]
    return [cls for cls in found if cls.__module__ == FlotillaError.__module__]


def test_codes_are_unique() -> None:
    codes = [cls.code for cls in every_class()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("cls", every_class(), ids=lambda cls: cls.code)
def test_an_error_crosses_the_wire_as_the_same_class(cls: type[FlotillaError]) -> None:
    error = cls("It broke.", subject="harbour.north", field="password", line=3)
    back = from_wire(WireError.model_validate_json(error.to_wire().model_dump_json()))
    assert type(back) is cls
    assert (back.message, back.advice) == (error.message, error.advice)
    assert (back.subject, back.field, back.line) == ("harbour.north", "password", 3)


def test_a_code_from_a_newer_release_becomes_a_plain_error_with_its_text() -> None:
    error = from_wire(WireError(code="from_the_future", message="New trouble.", advice="Wait."))
    assert type(error) is FlotillaError
    assert (error.message, error.advice) == ("New trouble.", "Wait.")


def test_the_docstring_draws_every_class() -> None:
    import common.errors

    for cls in every_class():
        assert cls.__name__ in (common.errors.__doc__ or "")
