"""The files that ship with Flotilla: fonts, icons, theme and the practice media library.

Here lives only the way to find them, the same from a checkout, an installed package and a frozen
build. Reading, rendering and caching them is the business of whoever asks.
"""

from importlib.resources import files
from pathlib import Path


def path(*parts: str) -> Path:
    """Return where a shipped file or folder lies, for example `path("theme", "tokens.json")`.

    The file need not exist: opening it is what fails, with the full path in the error.
    """
    return Path(str(files(__name__).joinpath(*parts)))
