"""Caption templates: `{variable}` in a text, filled per account and post. Pure."""

import re
from collections.abc import Mapping

VARIABLES: dict[str, str] = {
    "username": "the account's user name",
    "full_name": "the account's full name",
    "title": "the post's title",
    "number": "the post's position in the batch, from 1",
    "tag": "the account's first tag",
}
"""What a template may use, with what each stands for."""

_VARIABLE = re.compile(r"\{(\w*)\}")


def unknown_variables(template: str) -> list[str]:
    """Return the variables in `template` that do not exist, in order."""
    return [name for name in _VARIABLE.findall(template) if name not in VARIABLES]


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return `template` with each known variable replaced; an unknown one stays as written."""
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), template)
