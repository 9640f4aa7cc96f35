"""run.py: what a newcomer's first command finds, makes and says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import run
from common.version import VERSION

ROOT = Path(run.__file__).parent
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="Linux's loader and packages")


def make_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 9), (3, 13, 2)])
def test_supported_pythons_pass(version: tuple[int, ...]) -> None:
    run.check_version(version)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 14), (3, 14, 0)])
def test_another_python_is_refused_with_the_ones_that_work(version: tuple[int, ...]) -> None:
    with pytest.raises(run.SetupError, match=r"needs Python 3\.11 to 3\.13; this is"):
        run.check_version(version)


def test_an_old_python_reads_the_file_and_says_what_it_needs(tmp_path: Path) -> None:
    code = compile(
        (ROOT / "run.py").read_text(encoding="utf-8"), "run.py", "exec", dont_inherit=True
    )
    assert code  # the real old interpreters are tried by hand; this one guards the import part
    body = (ROOT / "run.py").read_text(encoding="utf-8")
    top = body.split("\nclass SetupError")[0]
    assert "import tomllib" not in top
    assert ":=" not in body


class TestStep:
    def test_a_failure_shows_the_end_of_the_output_and_the_command(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(run, "SETUP_LOG", tmp_path / "log")
        code = "print('what went wrong'); raise SystemExit(7)"
        with pytest.raises(run.SetupError) as caught:
            run.step("Trying", [sys.executable, "-c", code])
        assert "Trying failed with exit status 7" in str(caught.value)
        assert "| what went wrong" in str(caught.value)
        assert sys.executable in str(caught.value)

    def test_it_says_what_it_does_and_how_long_it_took(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(run, "SETUP_LOG", tmp_path / "log")
        run.step("Trying", [sys.executable, "-c", "print('kept out of sight')"])
        shown = capsys.readouterr().out
        assert shown.startswith("-- Trying ...\n   done in ")
        assert "kept out of sight" not in shown

    def test_a_program_that_is_not_there_is_named(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(run, "SETUP_LOG", tmp_path / "log")
        with pytest.raises(run.SetupError, match="no-such-program cannot be started"):
            run.step("Trying", ["no-such-program"])


class TestChromium:
    def test_the_path_that_the_user_names_comes_first(self, tmp_path: Path) -> None:
        chosen = make_program(tmp_path / "mine")
        assert run.find_chromium({"CHROMIUM_PATH": str(chosen)}) == chosen

    def test_a_named_path_without_a_file_is_an_error_that_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(run.SetupError, match=r"CHROMIUM_PATH names .*gone"):
            run.find_chromium({"CHROMIUM_PATH": str(tmp_path / "gone")})

    def test_the_newest_of_playwrights_builds_is_taken(self, tmp_path: Path) -> None:
        make_program(tmp_path / "chromium-999/chrome-linux/chrome")
        newest = make_program(tmp_path / "chromium-1200/chrome-linux64/chrome")
        assert run.find_chromium({"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}) == newest

    @linux_only
    def test_the_path_is_searched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        program = make_program(tmp_path / "bin/chromium")
        assert run.find_chromium({"PATH": str(program.parent)}) == program


@linux_only
class TestSystem:
    def test_a_library_that_the_loader_cannot_open_is_missing(self) -> None:
        assert run.missing_libraries(["libc.so.6", "libnowhere.so.9"]) == ["libnowhere.so.9"]

    def test_xcb_libraries_are_wanted_only_with_a_display(self) -> None:
        needs = run.Needs(window=True)
        assert "libxcb-cursor.so.0" not in run.libraries_for(needs, {})
        assert "libxcb-cursor.so.0" in run.libraries_for(needs, {"DISPLAY": ":0"})
        assert run.libraries_for(run.Needs(), {"DISPLAY": ":0"}) == {}

    def test_without_the_right_to_install_a_vital_gap_ends_with_the_command_to_type(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        make_program(tmp_path / "apt-get")
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(run, "QT_LIBRARIES", {"libnowhere.so.9": ("libnowhere9",)})
        with pytest.raises(run.SetupError) as caught:
            run.prepare_system(run.Needs(window=True), {})
        assert "libnowhere.so.9" in str(caught.value)
        assert "sudo apt-get update && sudo apt-get install" in str(caught.value)
        assert "libnowhere9" in str(caught.value)

    def test_a_missing_test_server_is_named_and_does_not_stop_the_command(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(run, "POSTGRES_LAYOUTS", ())
        run.prepare_system(run.Needs(postgres=True), {"PATH": str(tmp_path)})
        assert "Missing: PostgreSQL" in capsys.readouterr().out

    def test_apt_asks_nothing_and_finds_the_programs_of_package_scripts(self) -> None:
        command = run.Apt(("sudo", "-n")).command("install", ["libgl1"])
        assert command[:4] == ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"]
        assert "/usr/sbin" in command[4]
        assert command[-2:] == ["install", "libgl1"]
        assert "-y" in command


def test_the_newest_postgres_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("9", "15", "17"):
        make_program(tmp_path / version / "bin/initdb")
    monkeypatch.setattr(run, "POSTGRES_LAYOUTS", (f"{tmp_path.as_posix()}/*/bin/initdb",))
    assert run.find_postgres({}) == tmp_path / "17/bin"


class TestFirstStart:
    """A real start in a new folder, with a lock file that needs no download."""

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        folder = tmp_path / "a new folder"
        folder.mkdir()
        shutil.copy(ROOT / "run.py", folder)
        (folder / "requirements.lock").write_text("")
        (folder / "pyproject.toml").write_text(
            '[project]\nname = "hello"\n[project.scripts]\nhello = "hello:main"\n'
        )
        (folder / "hello.py").write_text(
            "import sys\ndef main():\n    print(sys.argv[1:])\n    return 3\n"
        )
        return folder

    def start(self, checkout: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "run.py", "check"],
            cwd=checkout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def test_makes_the_environment_once_and_again_when_the_lock_changes(
        self, checkout: Path
    ) -> None:
        first = self.start(checkout)
        assert "Making .venv" in first.stdout, first.stderr
        assert "Installing" not in self.start(checkout).stdout
        (checkout / "requirements.lock").write_text("# changed\n")
        third = self.start(checkout)
        assert "Making .venv" not in third.stdout
        assert "Installing" in third.stdout

    def test_console_scripts_reach_the_checkout(self, checkout: Path) -> None:
        self.start(checkout)
        suffix, folder = (".cmd", "Scripts") if os.name == "nt" else ("", "bin")
        script = checkout / ".venv" / folder / f"hello{suffix}"
        done = subprocess.run(
            [script, "two words", "--flag"], capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode, done.stdout.strip()) == (3, "['two words', '--flag']")


def test_the_version_is_said_in_one_place() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'attr = "common.version.VERSION"' in text
    assert f'version = "{VERSION}"' not in text
