#!/usr/bin/env python3
"""The one door for newcomers and developers: `python3 run.py demo | test | check | ...`.

Here lives what has to happen before anything of ours can be imported: the Python version is
checked, `.venv` is made from the hashed lock file, shared libraries, a font, Chromium and (for
tests) PostgreSQL are found or installed. Nothing of what the commands do lives here; they are
modules that run inside `.venv`. Standard library only; Python 3.11 to 3.13 on Linux, macOS and
Windows. One file on purpose: it is what a newcomer is asked to run, so it can be read in one go.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
WINDOWS = os.name == "nt"
VENV_PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
SETUP_LOG = ROOT / ".setup.log"
STAMP = VENV / "flotilla.stamp"
STAMP_SCHEMA = "1"  # raise it when `make_environment` lays something out differently
OLDEST, NEWEST = (3, 11), (3, 13)
HEARTBEAT_SECONDS = 15

# file the loader looks for -> Debian and Ubuntu packages that hold it, the first known one counts
QT_LIBRARIES = {
    "libGL.so.1": ("libgl1",),
    "libEGL.so.1": ("libegl1",),
    "libglib-2.0.so.0": ("libglib2.0-0t64", "libglib2.0-0"),
    "libfontconfig.so.1": ("libfontconfig1",),
    "libxkbcommon.so.0": ("libxkbcommon0",),
    "libdbus-1.so.3": ("libdbus-1-3",),
}
DISPLAY_LIBRARIES = {
    "libxcb-cursor.so.0": ("libxcb-cursor0",),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0",),
    "libxcb-icccm.so.4": ("libxcb-icccm4",),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1",),
    "libxcb-shape.so.0": ("libxcb-shape0",),
}
PLAYWRIGHT_LIBRARIES = {"libatomic.so.1": ("libatomic1",)}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
CHROMIUM_NAMES = ("chromium", "google-chrome", "google-chrome-stable", "msedge")
CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
    r"%ProgramFiles(x86)%\Google\Chrome\Application\chrome.exe",
    r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
    r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
)
PLAYWRIGHT_LAYOUTS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-win*/chrome.exe",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)
POSTGRES_LAYOUTS = (
    "/usr/lib/postgresql/*/bin/initdb",
    "/usr/pgsql-*/bin/initdb",
    "/opt/homebrew/opt/postgresql@*/bin/initdb",
    "/usr/local/opt/postgresql@*/bin/initdb",
    "C:/Program Files/PostgreSQL/*/bin/initdb.exe",
)


class SetupError(Exception):
    """What stands in the way of a command; its text says what to do about it."""


def say(text: str) -> None:
    """Print one line of progress at once, also where the output is a pipe."""
    print(text, flush=True)


# --- Running other programs ---------------------------------------------------------------------


def step(label: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    """Run one set-up program, its output kept in `.setup.log`, with a line of progress.

    Raises SetupError with the end of that output when the program fails.
    """
    started = time.monotonic()
    say(f"-- {label} ...")
    with SETUP_LOG.open("ab") as log:
        log.write(f"\n$ {shlex.join(argv)}\n".encode())
        log.flush()
        begin = log.tell()
        try:
            child = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise SetupError(f"{label} failed: {argv[0]} cannot be started ({error}).") from error
        status = None
        try:
            while status is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = child.wait(HEARTBEAT_SECONDS)
                if status is None:
                    say(f"   still at it, {time.monotonic() - started:.0f} s")
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    if status:
        tail = SETUP_LOG.read_bytes()[begin:].decode(errors="replace").splitlines()[-15:]
        raise SetupError(
            f"{label} failed with exit status {status}:\n"
            + "\n".join(f"   | {line}" for line in tail)
            + f"\n   The command was: {shlex.join(argv)}"
        )
    say(f"   done in {time.monotonic() - started:.1f} s")


def run(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a command of ours to its end and return its exit status.

    Ctrl+C reaches the child from the terminal, a polite request to end is handed on; then we wait
    until it has cleaned up.
    """
    child = subprocess.Popen(argv, env=env, cwd=ROOT)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def become(argv: Sequence[str], env: Mapping[str, str]) -> int:
    """Hand this process over to a command of ours, so that signals reach it and no other."""
    if not WINDOWS:
        os.chdir(ROOT)
        os.execve(argv[0], list(argv), dict(env))  # noqa: S606  # our own interpreter's path
    return run(argv, env)


# --- The machine: libraries, a font, Chromium, PostgreSQL ----------------------------------------


@dataclass(frozen=True)
class Needs:
    """What a command wants from the machine around it."""

    window: bool = False
    chromium: bool = False
    postgres: bool = False
    strace: bool = False


def missing_libraries(wanted: Iterable[str]) -> list[str]:
    """The shared libraries among `wanted` that the loader cannot open."""
    missing = []
    for name in wanted:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    return missing


def has_display(env: Mapping[str, str]) -> bool:
    """Whether a window can be shown to a person."""
    on_linux = sys.platform.startswith("linux")
    return not on_linux or bool(env.get("DISPLAY") or env.get("WAYLAND_DISPLAY"))


def libraries_for(needs: Needs, env: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The libraries that the wheels of Qt and Playwright expect from a Linux system."""
    if not sys.platform.startswith("linux"):
        return {}
    libraries = dict(QT_LIBRARIES) if needs.window else {}
    if needs.window and has_display(env):
        libraries.update(DISPLAY_LIBRARIES)
    if needs.chromium:
        libraries.update(PLAYWRIGHT_LIBRARIES)
    return libraries


def has_font() -> bool:
    """Whether web pages and Qt's fall-back can show letters; the window brings its own fonts."""
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(
        path.suffix.lower() in {".ttf", ".otf", ".ttc", ".pfb"}
        for folder in folders
        for path in folder.rglob("*")
    )


def browsers_folder(env: Mapping[str, str]) -> Path:
    """Where a Chromium of our own is put: in the platform's data folder of Flotilla."""
    if WINDOWS:
        base = Path(env.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = Path(env.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return base / "flotilla" / "browsers"


def find_chromium(env: Mapping[str, str]) -> Path | None:
    """A Chromium to drive: $CHROMIUM_PATH, Playwright's own, the PATH, the usual places."""
    chosen = env.get("CHROMIUM_PATH")
    if chosen:
        if not Path(chosen).is_file():
            raise SetupError(f"CHROMIUM_PATH names {chosen}, which is no file. Mend or unset it.")
        return Path(chosen)
    folders = [
        browsers_folder(env),
        Path.home() / ".cache/ms-playwright",
        Path.home() / "Library/Caches/ms-playwright",
        Path(env.get("LOCALAPPDATA", "")) / "ms-playwright",
    ]
    if env.get("PLAYWRIGHT_BROWSERS_PATH"):
        folders.insert(0, Path(env["PLAYWRIGHT_BROWSERS_PATH"]))
    for folder in folders:
        found = [path for layout in PLAYWRIGHT_LAYOUTS for path in folder.glob(layout)]
        if found:
            return max(found, key=numbers)
    on_path = (shutil.which(name, path=env.get("PATH")) for name in CHROMIUM_NAMES)
    places = (os.path.expandvars(place) for place in CHROMIUM_PLACES)
    # A snap sees neither our profiles nor the files to upload.
    candidates = [*(name for name in on_path if name and not name.startswith("/snap/")), *places]
    return next((Path(name) for name in candidates if Path(name).is_file()), None)


def numbers(path: Path) -> list[int]:
    """The numbers in a path: of two versions of one program, the newer has the greater list."""
    return [int(part) for part in re.findall(r"\d+", str(path))]


def find_postgres(env: Mapping[str, str]) -> Path | None:
    """The folder with the newest PostgreSQL server programs, None where there are none."""
    found = [
        path.parent
        for layout in POSTGRES_LAYOUTS
        if Path(layout).is_absolute()
        for path in Path(Path(layout).anchor).glob(layout.split("/", 1)[1])
    ]
    if found:
        return max(found, key=numbers)
    on_path = shutil.which("initdb", path=env.get("PATH"))
    return Path(on_path).parent if on_path else None


@dataclass(frozen=True)
class Missing:
    """Something that the machine lacks."""

    label: str
    packages: Sequence[tuple[str, ...]]
    """Debian and Ubuntu packages to install; of each entry the first that exists."""
    vital: bool = False
    """Whether nothing can start without it."""


@dataclass(frozen=True)
class Apt:
    """Debian's and Ubuntu's package manager, where we may use it."""

    prefix: tuple[str, ...]
    """What goes before a command to run it as root."""

    @classmethod
    def find(cls) -> Apt | None:
        """The apt-get of this machine, None without one or without the right to install."""
        if not shutil.which("apt-get"):
            return None
        if os.geteuid() == 0:
            return cls(())
        asked = shutil.which("sudo") and subprocess.run(
            ["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        return cls(("sudo", "-n")) if asked and asked.returncode == 0 else None

    def command(self, verb: str, packages: Sequence[str] = ()) -> list[str]:
        """The argument list of one apt-get call that asks nothing and waits for its lock."""
        options = ["-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
        if packages:
            options.append("--no-install-recommends")
        environment = ["env", "DEBIAN_FRONTEND=noninteractive", f"PATH={root_path()}"]
        return [*self.prefix, *environment, "apt-get", *options, verb, *packages]

    def install(self, things: Sequence[Missing]) -> None:
        """Install what is missing in one go: of each choice the first package that exists.

        Raises SetupError when apt-get does not manage it.
        """
        step("Reading the list of system packages", self.command("update"))
        choices = [choice for thing in things for choice in thing.packages]
        names = [next(filter(self.knows, choice[:-1]), choice[-1]) for choice in choices]
        if "postgresql" in names:
            self.keep_postgres_from_starting()
        step(f"Installing {' '.join(names)}", self.command("install", names))

    def knows(self, package: str) -> bool:
        """Whether the system's package lists have this package."""
        shown = subprocess.run(["apt-cache", "show", package], capture_output=True, check=False)
        return shown.returncode == 0

    def keep_postgres_from_starting(self) -> None:
        """Tests start servers of their own: on a machine new to PostgreSQL, ask for no other."""
        folder = Path("/etc/postgresql-common")
        if folder.exists():
            return
        line = f"mkdir {folder} && echo create_main_cluster=false > {folder}/createcluster.conf"
        step("Asking PostgreSQL not to start a server", [*self.prefix, "sh", "-c", line])


def root_path() -> str:
    """The PATH that package scripts need, also where ours is a bare one."""
    ours = os.environ.get("PATH", "/usr/bin:/bin").split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([*ours, "/usr/local/sbin", "/usr/sbin", "/sbin"]))


def is_debian() -> bool:
    """Whether this is Debian itself; Ubuntu's chromium package is a snap and of no use here."""
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False


def list_missing(needs: Needs, env: Mapping[str, str]) -> list[Missing]:
    """What `.venv` cannot hold, the command needs, and this machine lacks."""
    found = []
    libraries = libraries_for(needs, env)
    absent = missing_libraries(libraries)
    if absent:
        names = f"shared libraries ({', '.join(absent)})"
        found.append(Missing(names, [libraries[name] for name in absent], vital=True))
    if not (environment_fits() or find_uv(env) or importlib.util.find_spec("ensurepip")):
        packages = ("python{}.{}-venv".format(*sys.version_info[:2]), "python3-venv")
        found.append(Missing("Python's venv module", [packages], vital=True))
    if needs.chromium and is_debian() and not find_chromium(env):
        found.append(Missing("Chromium", [("chromium",), ("chromium-sandbox",)]))
    if needs.window and sys.platform.startswith("linux") and not has_font():
        found.append(Missing("a font for web pages", [("fonts-dejavu-core",)]))
    if needs.postgres and not env.get("TEST_POSTGRES_URL") and not find_postgres(env):
        found.append(Missing("PostgreSQL, for the tests of a shared store", [("postgresql",)]))
    on_linux = sys.platform.startswith("linux")
    if needs.strace and on_linux and not shutil.which("strace", path=env.get("PATH")):
        found.append(Missing("strace, to see what is on disk before a request", [("strace",)]))
    return found


def prepare_system(needs: Needs, env: Mapping[str, str]) -> None:
    """Install what the machine lacks where we have the right to, else name the command.

    Raises SetupError when something that the command cannot do without stays missing.
    """
    missing = list_missing(needs, env)
    if not missing:
        return
    apt = Apt.find()
    if apt:
        apt.install(missing)
        return
    lines = [f"Missing: {thing.label}." for thing in missing]
    lines.append(f"To install: {advice(missing)}")
    if any(thing.vital for thing in missing):
        raise SetupError("\n   ".join(lines))
    say("-- " + "\n   ".join([*lines, "Going on as far as that goes."]))


def advice(missing: Sequence[Missing]) -> str:
    """The exact command for a person to type, as far as this system's is known."""
    if shutil.which("apt-get"):
        names = " ".join(choice[-1] for thing in missing for choice in thing.packages)
        return f"sudo apt-get update && sudo apt-get install --no-install-recommends {names}"
    return "use your system's package manager, then start this command again."


# --- The environment: .venv ---------------------------------------------------------------------


def wanted_stamp() -> str:
    """What `.venv` is made from; a stamp that equals it makes the next start instant."""
    made_from = [STAMP_SCHEMA, sys.version, platform.machine(), str(ROOT)]
    return hashlib.sha256("\n".join(made_from).encode() + LOCK.read_bytes()).hexdigest()


def is_ready() -> bool:
    """Whether `.venv` is there and made from this lock file by this Python."""
    return (
        VENV_PYTHON.exists()
        and STAMP.exists()
        and STAMP.read_text(encoding="utf-8") == wanted_stamp()
    )


def environment_fits() -> bool:
    """Whether there is a `.venv` for this Python that packages can be installed into."""
    settings = VENV / "pyvenv.cfg"
    if not (VENV_PYTHON.exists() and settings.exists()):
        return False
    version = re.search(r"(?m)^version(?:_info)? *= *(\d+)\.(\d+)", settings.read_text("utf-8"))
    same = version is not None and tuple(map(int, version.groups())) == sys.version_info[:2]
    return same and bool(installers(os.environ))


def find_uv(env: Mapping[str, str]) -> str | None:
    """The uv on the PATH."""
    return shutil.which("uv", path=env.get("PATH"))


def site_packages() -> Path:
    """Where `.venv` keeps its packages."""
    library = "Lib" if WINDOWS else "lib/python{}.{}".format(*sys.version_info[:2])
    return VENV / library / "site-packages"


def installers(env: Mapping[str, str]) -> list[list[str]]:
    """The ways to install into the `.venv` that is there, the best first."""
    ways = []
    inside = VENV_PYTHON.with_name("uv.exe" if WINDOWS else "uv")
    uv = find_uv(env)
    if uv:
        ways.append([uv, "pip", "install", "--python", str(VENV_PYTHON)])
    if (site_packages() / "pip").is_dir():
        ways.append([str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check"])
    if inside.is_file():
        ways.append([str(inside), "pip", "install", "--python", str(VENV_PYTHON)])
    return ways


def make_environment(env: Mapping[str, str]) -> None:
    """Make `.venv` from the lock file, or bring the one that is there up to it.

    Raises SetupError when it cannot be made.
    """
    if not environment_fits():
        if VENV.exists():
            shutil.rmtree(VENV)
        uv = find_uv(env)
        if uv:
            step("Making .venv with uv", [uv, "venv", "--python", sys.executable, str(VENV)])
        else:
            step("Making .venv", [sys.executable, "-m", "venv", str(VENV)])
    STAMP.unlink(missing_ok=True)
    way = installers(env)[0]
    count = len(re.findall(r"^[a-zA-Z0-9].*==", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    label = f"Installing about {count} Python packages with {'uv' if way[1] == 'pip' else 'pip'}"
    step(label, [*way, "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK)])
    link_project()
    STAMP.write_text(wanted_stamp(), encoding="utf-8")


def link_project() -> None:
    """Put this checkout on the path of `.venv`, and its console scripts beside its Python."""
    import tomllib  # here, so that older Pythons come as far as the version check

    (site_packages() / "flotilla.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, target in project["scripts"].items():
        module, function = target.split(":")
        code = f"import sys, {module} as m; sys.argv[0] = '{name}'; sys.exit(m.{function}())"
        script = VENV_PYTHON.with_name(f"{name}.cmd" if WINDOWS else name)
        if WINDOWS:
            script.write_text(f'@"%~dp0python.exe" -P -c "{code}" %*\n', encoding="utf-8")
        else:
            line = f'exec {shlex.quote(str(VENV_PYTHON))} -P -c "{code}" "$@"'
            script.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            script.chmod(0o755)


def prepare_chromium(env: Mapping[str, str]) -> dict[str, str]:
    """Find Chromium, or fetch one into the data folder; the variables that tell others of it.

    Raises SetupError with the command to type where none is found and none can be fetched.
    """
    folder = browsers_folder(env)
    chromium = find_chromium(env)
    if chromium is None:
        argv = [str(VENV_PYTHON), "-m", "playwright", "install", "chromium"]
        told = {**env, "PLAYWRIGHT_BROWSERS_PATH": str(folder)}
        if sys.platform.startswith("linux") and Apt.find():
            argv.append("--with-deps")
        try:
            step(f"Fetching Chromium into {folder}", argv, told)
        except SetupError as error:
            raise SetupError(f"{error}\n   Or install Chromium or Chrome yourself.") from error
        chromium = find_chromium(env)
    if chromium is None:
        raise SetupError("Chromium was fetched but is not found. Set CHROMIUM_PATH to its program.")
    return {"CHROMIUM_PATH": str(chromium)}


# --- The commands -------------------------------------------------------------------------------


def test(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run the tests, then see that they left no process behind."""
    token = uuid.uuid4().hex
    env = {**env, "QT_QPA_PLATFORM": "offscreen", "FLOTILLA_TEST_RUN": token}
    workers = [] if any(argument.startswith("-n") for argument in arguments) else ["-n", "2"]
    slowest = ["--durations=15", "--durations-min=2"]
    tests = [str(VENV_PYTHON), "-m", "pytest", *workers, "--dist", "worksteal", *slowest]
    tests += arguments
    leftovers = [str(VENV_PYTHON), "-m", "tests.support.leftovers", token]
    status = run(tests, env)
    return run(leftovers, env) or status


def check(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Style, types, import rules, and that the lock file and the list of dependencies are sound."""
    del arguments
    python = str(VENV_PYTHON)
    entry = "from importlinter.cli import lint_imports_command as command; command()"
    programs = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
        "import rules": [python, "-c", entry],
        "lock file and list of dependencies": [python, "-m", "tests.support.repository"],
    }
    failed = []
    for name, argv in programs.items():
        started = time.monotonic()
        say(f"-- {name}")
        if run(argv, env):
            failed.append(name)
        say(f"   {time.monotonic() - started:.1f} s")
    say(f"-- Failed: {', '.join(failed)}" if failed else "-- All checks passed")
    return 1 if failed else 0


def lock(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Make requirements.lock anew from pyproject.toml; `--upgrade` takes newer releases."""
    options = ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet"]
    source = ["--python-version", "3.11", "--extra", "dev", "pyproject.toml", "-o", LOCK.name]
    compile_lock = [str(VENV_PYTHON), "-m", "uv", "pip", "compile"]
    status = run([*compile_lock, *options, *source, *arguments], env)
    if status == 0:
        header = "# Made by `python3 run.py lock` from pyproject.toml. Do not edit.\n"
        LOCK.write_text(header + LOCK.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
    return status


def module(*name: str) -> Callable[[Sequence[str], Mapping[str, str]], int]:
    """A command that is a module of ours and replaces this process."""
    return lambda arguments, env: become([str(VENV_PYTHON), "-m", *name, *arguments], env)


@dataclass(frozen=True)
class Command:
    """One word after run.py."""

    help: str
    needs: Needs
    run: Callable[[Sequence[str], Mapping[str, str]], int]


COMMANDS = {
    "demo": Command(
        "the whole system at work on the practice platform",
        Needs(window=True, chromium=True),
        module("desktop_app.demo"),
    ),
    "test": Command(
        "run the tests; further arguments go to pytest",
        Needs(window=True, chromium=True, postgres=True, strace=True),
        test,
    ),
    "check": Command("style, types, import rules, lock file", Needs(), check),
    "bench": Command("measure, and print ratios", Needs(window=True), module("tests.bench")),
    "campaign": Command(
        "publish under thousands of faults, and judge by the platform's ledger",
        Needs(chromium=True),
        module("tests.campaign"),
    ),
    "gallery": Command(
        "pictures of every page", Needs(window=True), module("desktop_app.ui.gallery")
    ),
    "lock": Command("make requirements.lock anew", Needs(), lock),
}


def check_version(version: tuple[int, ...]) -> None:
    """Raises SetupError for a Python that we do not run on."""
    if not OLDEST <= version[:2] <= NEWEST:
        wanted = "{}.{} to {}.{}".format(*OLDEST, *NEWEST)
        found = ".".join(map(str, version))
        raise SetupError(
            f"Flotilla needs Python {wanted}; this is {found}.\n"
            "   Start again with one of those, for example: python3.11 run.py demo"
        )


def main(argv: Sequence[str]) -> int:
    """Read the command line, prepare machine and environment, run the command."""
    lines = [f"  {name:<9}{command.help}" for name, command in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Set Flotilla up where needed, then run one of:\n\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="go to the command")
    options = parser.parse_args(argv)
    command = COMMANDS[options.command]
    env = dict(os.environ)
    try:
        check_version(sys.version_info[:3])
        prepare_system(command.needs, env)
        if not is_ready():
            make_environment(env)
        if command.needs.chromium:
            env.update(prepare_chromium(env))
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    if command.needs.window and not has_display(env):
        env.setdefault("QT_QPA_PLATFORM", "offscreen")
    env["PATH"] = os.pathsep.join([str(VENV_PYTHON.parent), env.get("PATH", os.defpath)])
    return command.run(options.arguments, env)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
