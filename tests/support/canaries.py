"""Planted secrets, and the search for them in everything that a run leaves or shows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from urllib.parse import quote, quote_plus

import psutil

_PIECE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Allowed:
    """One known place where one kind of secret may lie, and why."""

    canary: str
    """Name of the canary, or `*` for any."""
    path: str
    """Pattern of the file's path below the searched folder."""
    reason: str

    def covers(self, canary: str, place: PurePosixPath) -> bool:
        """Whether this canary may lie there; a `*` stands for any number of folders too."""
        return self.canary in (canary, "*") and fnmatchcase(str(place), self.path)


class Canaries:
    """Secrets by name, in every form in which they may have been written."""

    def __init__(self, secrets: Mapping[str, str | bytes]) -> None:
        self._forms: list[tuple[str, str, bytes]] = []
        for name, secret in secrets.items():
            raw = secret.encode() if isinstance(secret, str) else secret
            assert len(raw) >= 8, f"{name} is too short to be told from chance"
            self._forms += [(name, form, text) for form, text in forms_of(raw)]

    def found_in(self, data: bytes) -> set[tuple[str, str]]:
        """Name and form of every canary in `data`."""
        return {(name, form) for name, form, text in self._forms if text in data}

    def in_files(self, folder: Path, allowed: Iterable[Allowed] = ()) -> list[str]:
        """Say where canaries lie below a folder, but for the places that are allowed.

        A place that is allowed and holds none is said as well: an exception must be needed.
        """
        unused = set(allowed)
        known, hits = frozenset(unused), []
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            place = PurePosixPath(file.relative_to(folder).as_posix())
            for name, form in sorted(self.found_in(str(place).encode() + _content(file))):
                if covering := {each for each in known if each.covers(name, place)}:
                    unused -= covering
                else:
                    hits.append(f"{name} ({form}) in {place}")
        return [*hits, *(f"no {each.canary} in {each.path}" for each in unused)]

    def in_processes(self, roots: Iterable[int]) -> list[str]:
        """Say whose argument list or environment holds a canary, among processes and children."""
        hits = []
        for process in _with_children(roots):
            try:
                name = process.name()
                shown = {
                    "argument list": "\0".join(process.cmdline()),
                    "environment": "\0".join(
                        f"{key}={value}" for key, value in process.environ().items()
                    ),
                }
            except psutil.Error:
                continue  # it has ended meanwhile
            for what, text in shown.items():
                found = sorted(self.found_in(text.encode()))
                hits += [f"{canary} ({form}) in the {what} of {name}" for canary, form in found]
        return hits


def forms_of(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a secret as it is, url-encoded, JSON-escaped, in base64 and in hexadecimal."""
    yield "plain", raw
    yield "hex", raw.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw).rstrip(b"=")
        # The characters at either end depend on the neighbours.
        middle = encoded[0 if shift == 0 else shift + 1 : -1]
        yield "base64", middle
        yield "base64url", middle.replace(b"+", b"-").replace(b"/", b"_")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return
    yield "url", quote(text, safe="").encode()
    yield "form", quote_plus(text).encode()
    yield "JSON", json.dumps(text)[1:-1].encode()
    yield "JSON", json.dumps(text, ensure_ascii=False)[1:-1].encode()
    yield "repr", repr(text)[1:-1].encode()
    yield "UTF-16", text.encode("utf-16-le")


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_PIECE_BYTES)
    except FileNotFoundError:
        return b""


def _with_children(roots: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in roots:
        try:
            root = psutil.Process(pid)
            yield from (root, *root.children(recursive=True))
        except psutil.NoSuchProcess:
            continue
