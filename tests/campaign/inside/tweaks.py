"""Constants of shipped modules that a directed case sets, so that it need not wait or fill much.

The same are set with and without a planted bug: what differs is the bug alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

FILE = "tweaks.json"


def set_tweaks(folder: Path, values: Mapping[str, float]) -> None:
    """Set constants, named as `module:NAME`, in what is started on this machine from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(dict(values)))


def install(folder: Path) -> None:
    """Set them in this process. Raises AttributeError where a module has no such constant."""
    file = folder / FILE
    if not file.exists():
        return
    for where, value in json.loads(file.read_text()).items():
        name, _, constant = where.partition(":")
        module = import_module(name)
        getattr(module, constant)
        setattr(module, constant, value)
