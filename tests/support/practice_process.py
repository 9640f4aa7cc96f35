"""A practice platform in a process of its own, with its admin API at hand."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

START_SECONDS = 20.0
STOP_SECONDS = 5.0
_STOP_SIGNAL = signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGTERM
_REPOSITORY = Path(__file__).resolve().parents[2]

TOTP_SEED = "JBSWY3DPEHPK3PXP"
"""A seed for test accounts with a second factor."""


@dataclass(frozen=True)
class SeededAccount:
    """An account that a test made, with what signs it in."""

    username: str
    password: str
    user_id: int
    totp_seed: str | None = None


class PracticeProcess:
    """A running platform. Use it as a context manager; leaving stops the process.

    >>> with PracticeProcess.start(tmp_path / "practice") as practice:
    ...     practice.seed([{"username": "ada", "password": "pass-word"}])
    """

    def __init__(self, data: Path, process: subprocess.Popen[bytes], ready: Mapping[str, Any]):
        self.data = data
        self.process = process
        self.url: str = ready["url"]
        self.admin_url: str = ready["admin_url"]
        self.proxy_url: str = ready["proxy_url"]
        self.admin_token: str = ready["admin_token"]
        self.admin = httpx.Client(
            base_url=self.admin_url,
            headers={"Authorization": f"Bearer {self.admin_token}"},
            timeout=10.0,
            trust_env=False,
        )

    @classmethod
    def start(cls, data: Path, *arguments: str) -> Self:
        """Start a platform on ``data`` and wait until it listens.

        ``arguments`` are added to the command line, e.g. ``"--port", "8123"``.
        """
        data.mkdir(parents=True, exist_ok=True)
        ready_file = data / "ready.json"
        ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "practice.cli", "serve", "--data", str(data)]
        log = (data / "output.log").open("ab")
        with log:
            process = subprocess.Popen(
                [*command, "--ready-file", str(ready_file), *arguments],
                cwd=_REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        try:
            return cls(data, process, _wait_for(ready_file, process, data / "output.log"))
        except BaseException:
            process.kill()
            process.wait()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """Ask the process to stop, wait for it, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(_STOP_SIGNAL)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the practice platform didn't stop when it was asked to") from None
        finally:
            self.admin.close()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        self.admin.close()

    def seed(self, accounts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """Create accounts; returns the user id of each user name."""
        created = self._call("POST", "/admin/accounts", list(accounts))["created"]
        return {each["username"]: each["user_id"] for each in created}

    def accounts(self) -> list[dict[str, Any]]:
        """Every account, without secrets."""
        listing: list[dict[str, Any]] = self._call("GET", "/admin/accounts")["accounts"]
        return listing

    def ledger(self, after: int = 0, kind: str | None = None) -> list[dict[str, Any]]:
        """Every record after a sequence, in order; of one kind only where ``kind`` says so."""
        records: list[dict[str, Any]] = []
        while True:
            page = self._call("GET", f"/admin/ledger?after={after}")
            records += page["records"]
            after = records[-1]["sequence"] if records else page["last"]
            if after >= page["last"]:
                return [record for record in records if kind in (None, record["kind"])]

    def fault(self, kind: str, route: str, **fields: Any) -> dict[str, Any]:
        """Set a fault; fields are account, count, delay_ms, status and body."""
        return self._call("POST", "/admin/faults", {"kind": kind, "route": route, **fields})

    def faults(self) -> list[dict[str, Any]]:
        """Faults that haven't been used up."""
        waiting: list[dict[str, Any]] = self._call("GET", "/admin/faults")["faults"]
        return waiting

    def clear_faults(self) -> None:
        """Take back every fault."""
        self._call("DELETE", "/admin/faults")

    def add_proxy(self, name: str, username: str, password: str) -> str:
        """Let credentials open the proxy; returns the proxy's URL with them in it."""
        wanted = {"name": name, "username": username, "password": password}
        self._call("POST", "/admin/proxies", wanted)
        return self.proxy_url.replace("http://", f"http://{username}:{password}@")

    def revoke_sessions(self, username: str) -> int:
        """End every session of an account; returns how many there were."""
        revoked: int = self._call("POST", f"/admin/accounts/{username}/revoke_sessions")["revoked"]
        return revoked

    def metrics(self) -> dict[str, Any]:
        """Requests served, faults done and processor seconds used."""
        return self._call("GET", "/admin/metrics")

    def reset(self) -> None:
        """Forget everything but the keys."""
        self._call("POST", "/admin/reset")

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        response = self.admin.request(method, path, json=body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        answer: dict[str, Any] = response.json()
        return answer


def _wait_for(ready_file: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            ready: dict[str, Any] = json.loads(ready_file.read_bytes())
            return ready
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(0.02)
            raise AssertionError(f"the practice platform ended with {status}: {log.read_text()}")
    raise AssertionError(f"the practice platform isn't ready after {START_SECONDS} s")
