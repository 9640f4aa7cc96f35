"""The repository's own texts: locks name no address, dependencies are explained."""

from __future__ import annotations

from pathlib import Path

from tests.support import repository


def write_project(root: Path, *rows: str) -> None:
    (root / "docs").mkdir()
    (root / "docs/dependencies.md").write_text("\n".join(f"| {row} | why |" for row in rows))
    (root / "pyproject.toml").write_text(
        '[project]\ndependencies = ["One>=1", "two[extra]==2"]\n'
        '[project.optional-dependencies]\ndev = ["three"]\n'
    )


def test_a_dependency_without_a_row_is_named(tmp_path: Path) -> None:
    write_project(tmp_path, "`one`", "three")
    complaints = repository.undocumented_dependencies(tmp_path)
    assert complaints == ["docs/dependencies.md has no row for two"]


def test_an_address_in_a_lock_file_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("one==1\n# from https://index.invalid\n")
    (complaint,) = repository.lock_lines_with_addresses(tmp_path)
    assert complaint.startswith("requirements.lock:2 ")


def test_ours_are_in_order() -> None:
    assert repository.main() == 0
