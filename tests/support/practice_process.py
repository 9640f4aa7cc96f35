"""A practice platform in a process of its own, with its admin API at hand."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.child_process import ChildProcess, launch, wait_for_ready_file

TOTP_SEED = "JBSWY3DPEHPK3PXP"
"""A seed for test accounts with a second factor."""


@dataclass(frozen=True)
class SeededAccount:
    """An account that a test made, with what signs it in."""

    username: str
    password: str
    user_id: int
    totp_seed: str | None = None


class PracticeProcess(ChildProcess):
    """A running platform.

    >>> with PracticeProcess.start(tmp_path / "practice") as practice:
    ...     practice.seed([{"username": "ada", "password": "pass-word"}])
    """

    name = "practice platform"
    stop_seconds = 15.0

    def __init__(self, data: Path, process: subprocess.Popen[bytes], ready: Mapping[str, Any]):
        super().__init__(data, process)
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
    def start(
        cls, data: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> Self:
        """Start a platform on ``data`` and wait until it listens.

        ``arguments`` are added to the command line, e.g. ``"--port", "8123"``.
        """
        data.mkdir(parents=True, exist_ok=True)
        ready_file, log = data / "ready.json", data / "output.log"
        ready_file.unlink(missing_ok=True)
        command = ["practice.cli", "serve", "--data", str(data), "--ready-file", str(ready_file)]
        process = launch([*command, *arguments], log, environment)
        return cls(data, process, wait_for_ready_file(ready_file, process, log, cls.start_seconds))

    def stop(self) -> int:
        """Ask the process to stop, wait for it, and return its exit status."""
        self.admin.close()
        return super().stop()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self.admin.close()
        super().kill()

    def seed(self, accounts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
        """Create accounts; returns the user id of each user name."""
        created = self._call("POST", "/admin/accounts", list(accounts))["created"]
        return {each["username"]: each["user_id"] for each in created}

    def accounts(self) -> list[dict[str, Any]]:
        """Every account, without secrets."""
        listing: list[dict[str, Any]] = self._call("GET", "/admin/accounts")["accounts"]
        return listing

    def posts(self, username: str) -> list[dict[str, Any]]:
        """Every post of an account in truth, oldest first, whether it is listed yet or not."""
        posts: list[dict[str, Any]] = self._call("GET", f"/admin/accounts/{username}/posts")[
            "posts"
        ]
        return posts

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
        """Set a fault; kinds and fields are those of `practice.http.faults`."""
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
        """Requests served, faults done and still to have their effect, processor seconds used."""
        return self._call("GET", "/admin/metrics")

    def reset(self) -> None:
        """Forget everything but the keys."""
        self._call("POST", "/admin/reset")

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        response = self.admin.request(method, path, json=body)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        answer: dict[str, Any] = response.json()
        return answer
