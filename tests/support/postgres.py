"""A real PostgreSQL server for tests: one per test process, one database per test.

The server is $TEST_POSTGRES_URL where that is set; otherwise one of our own, started from the
system's programs in a temporary folder, reachable on a loopback port only, with durability off.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from run import find_postgres

START_SECONDS = 60
STOP_SECONDS = 20
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server."""

    url: str
    """`postgresql://user:password@host:port/database` of its maintenance database."""

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new, empty database, dropped at the end; yields its URL."""
        name = f"flotilla_{uuid.uuid4().hex}"
        base, _, query = self.url.partition("?")
        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                yield f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
            finally:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """The server that tests use, for as long as the context lasts.

    Skips the test where the machine has no PostgreSQL, and fails it where $CI is set: there, a
    missing server would hide what was not tested.
    """
    if url := os.environ.get("TEST_POSTGRES_URL"):
        conninfo_to_dict(url)
        yield PostgresServer(url)
        return
    programs = find_postgres(os.environ)
    if programs is None:
        reason = "PostgreSQL's server programs are not installed (`python3 run.py test` does it)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="flotilla-postgres-"))
    try:
        yield from _own_server(programs, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own_server(programs: Path, folder: Path) -> Iterator[PostgresServer]:
    user = _server_user()
    if user:
        shutil.chown(folder, user)
    data, log, password = folder / "data", folder / "server.log", folder / "password"
    secret = secrets.token_urlsafe(16)
    password.write_text(secret)
    password.chmod(0o644)
    _run(
        user,
        programs / "initdb",
        *("--pgdata", data, "--username", "flotilla", "--pwfile", password),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"),
    )
    port = _free_port()
    options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
    control = (programs / "pg_ctl", "--pgdata", data, "--silent")
    _run(user, *control, "--log", log, "--wait", "-o", f"-p {port} {options}", "start")
    try:
        yield PostgresServer(f"postgresql://flotilla:{secret}@127.0.0.1:{port}/postgres")
    finally:
        _run(user, *control, "--mode", "immediate", "--wait", "stop")


def _server_user() -> str | None:
    """The server refuses to run as root; its package brings a user for it."""
    return "postgres" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(user: str | None, program: Path, *arguments: str | Path) -> None:
    """Run one of the server's programs to its end, as `user` where one is given."""
    # Output goes to a file: the server inherits it and would keep a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [program, *arguments],
            cwd=program.parent,
            user=user,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=START_SECONDS,
            check=False,
        )
        output.seek(0)
        said = output.read().decode(errors="replace")
    assert done.returncode == 0, f"{program.name} failed with {done.returncode}:\n{said}"
