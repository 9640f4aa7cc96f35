import sys
from pathlib import Path

import pytest

from common.errors import StoreError
from common.infra.paths import make_data_folder, make_private_folder, write_private_file


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps users apart by profile folders")
def test_private_means_private(tmp_path: Path) -> None:
    folder = make_private_folder(tmp_path / "deep" / "data")
    write_private_file(folder / "token", b"one")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "token").stat().st_mode & 0o777 == 0o600


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_private_file(tmp_path / "token", b"one")
    write_private_file(tmp_path / "token", b"two")
    assert (tmp_path / "token").read_bytes() == b"two"
    assert [file.name for file in tmp_path.iterdir()] == ["token"]


def test_a_file_that_cannot_be_written_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    with pytest.raises(OSError, match="token"):
        write_private_file(tmp_path / "token", b"one")
    assert [file.name for file in tmp_path.iterdir()] == ["token"]


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="file") as caught:
        make_data_folder(tmp_path / "file" / "data")
    assert "--data" in caught.value.advice
