import pytest

from common.drivers import CAPABILITIES
from common.errors import NotFoundError
from common.tasks.catalogue import TASK_TYPES, task_type
from common.tasks.task_type import TaskType
from resources import path

each_type = pytest.mark.parametrize("found", TASK_TYPES, ids=lambda found: found.kind)


@each_type
def test_every_task_type_is_complete(found: TaskType) -> None:
    assert task_type(found.kind) is found
    assert found.summary.endswith(".")
    assert path("icons", "lucide", f"{found.icon}.svg").is_file()
    assert any(can.issuperset(found.operations) for can in CAPABILITIES.values())


@each_type
def test_its_examples_survive_the_wire(found: TaskType) -> None:
    assert found.examples
    for example in found.examples:
        assert found.parameters.model_validate_json(example.model_dump_json()) == example


@each_type
def test_its_schema_says_what_it_takes(found: TaskType) -> None:
    schema = found.parameters.model_json_schema()
    assert schema["type"] == "object"
    assert not [name for name, field in schema["properties"].items() if "description" not in field]


def test_kinds_and_numbers_are_unique() -> None:
    assert len({found.kind for found in TASK_TYPES}) == len(TASK_TYPES)
    assert len({found.number for found in TASK_TYPES}) == len(TASK_TYPES)


def test_an_unknown_kind_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFoundError) as missing:
        task_type("tiktok")
    assert "bulk_upload" in missing.value.advice
