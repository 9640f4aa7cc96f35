"""The media library as clients see it."""

from common.domain.content import MediaKind
from desktop_app.contract.accounts import ImportProblem
from desktop_app.contract.base import Command, Value


class MediaRow(Value):
    """One file of the library, known by its content."""

    sha256: str
    name: str
    title: str
    kind: MediaKind
    size: int
    """Bytes."""
    width: int
    height: int
    duration: float = 0.0
    """Seconds; 0 for a photo."""
    added_at: float
    used: int = 0
    """Posts published with it."""


class ImportMedia(Command):
    """Files on the core's machine to add. Good files are added even where others are refused."""

    paths: list[str]
    titles: dict[str, str] = {}
    """Title by path; the file name without its ending where it is missing."""


class MediaImported(Value):
    """What was added, and which files were refused."""

    rows: list[MediaRow]
    """In the order of the paths; a file that was there already is in it as well."""
    problems: list[ImportProblem] = []
    """`field` is the path; `line` its position, from 1."""
    revision: int


class DeleteMedia(Command):
    """Remove files from the library. Refused for files that an unfinished item needs."""

    sha256s: list[str]
