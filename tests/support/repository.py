"""What must be true of the repository's own texts; `run.py check` runs this as a program."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lock_lines_with_addresses(root: Path) -> list[str]:
    """A complaint for each line of a lock file that names an address."""
    return [
        f"{path.name}:{number} names an address; a lock file must work with any index"
        for path in sorted({*root.glob("requirements*"), *root.glob("*.lock")})
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "://" in line
    ]


def undocumented_dependencies(root: Path) -> list[str]:
    """A complaint for each direct dependency that docs/dependencies.md has no row for."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    direct = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = sorted({re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in direct})
    document = (root / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    rows = set(re.findall(r"^\| *`?([\w.-]+)", document, re.MULTILINE))
    return [f"docs/dependencies.md has no row for {name}" for name in names if name not in rows]


def main() -> int:
    """Print every complaint; 1 when there is one."""
    complaints = [*lock_lines_with_addresses(ROOT), *undocumented_dependencies(ROOT)]
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
