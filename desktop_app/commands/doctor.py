"""`flotilla doctor`: what is missing on this machine, and how to mend it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Literal

import click
from pydantic import BaseModel

from common.domain.states import LinkState, look_of
from common.errors import FlotillaError
from desktop_app.client import launcher
from desktop_app.client.core_client import CoreClient
from desktop_app.commands.session import EXIT_FAILED, Session, pass_session
from desktop_app.contract.agents import AgentRow

_DISK_BYTES = 1024**3
_SKEW_SECONDS = 5.0
_MARK = {"ok": "✓", "warning": "!", "error": "✗"}


class Finding(BaseModel):
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "warning", "error"]
    message: str
    advice: str = ""


@click.command()
@pass_session
def doctor(session: Session) -> None:
    """Say what is missing on this machine, and how to mend it."""
    findings = [*_local(session.core.data), *asyncio.run(_core(session))]
    session.show(findings, lambda: _print(findings))
    if any(finding.state == "error" for finding in findings):
        raise SystemExit(EXIT_FAILED)


def _local(data: Path) -> Iterator[Finding]:
    checks: tuple[Callable[[Path], Finding], ...] = (_folder, _disk, _vault, _ffmpeg)
    for check in checks:
        yield check(data)


def _folder(data: Path) -> Finding:
    if not data.exists():
        return Finding(what="data folder", state="ok", message=f"{data} will be made.")
    if (data / "flotilla.db").exists():
        return Finding(what="data folder", state="ok", message=f"{data} holds a store.")
    return Finding(what="data folder", state="ok", message=f"{data} is there, without a store.")


def _disk(data: Path) -> Finding:
    near = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(near).free
    text = f"{free / 1024**3:.1f} GiB are free."
    if free >= _DISK_BYTES:
        return Finding(what="disk", state="ok", message=text)
    return Finding(
        what="disk", state="error", message=text, advice="Make room: at least 1 GiB is needed."
    )


def _vault(data: Path) -> Finding:
    from desktop_app.store.master_keys import is_keyring_there

    if (data / "vault.json").exists():
        return Finding(what="vault", state="ok", message="The vault is set up.")
    if is_keyring_there():
        return Finding(what="vault", state="ok", message="The system's keyring is there.")
    return Finding(
        what="vault",
        state="warning",
        message="This machine has no keyring that Flotilla trusts.",
        advice="Start with --vault passphrase, or with --vault key-file --key-file FILE.",
    )


def _ffmpeg(_data: Path) -> Finding:
    import imageio_ffmpeg

    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        return Finding(
            what="ffmpeg",
            state="error",
            message="No ffmpeg is there, so videos cannot be added.",
            advice="Install ffmpeg, or the Python package imageio-ffmpeg for this machine.",
        )
    return Finding(what="ffmpeg", state="ok", message=program)


async def _core(session: Session) -> list[Finding]:
    """Look at a core that runs; a doctor starts none."""
    try:
        endpoint = await launcher.find(session.core.data)
    except FlotillaError as problem:
        return [_failed("core", problem)]
    if endpoint is None:
        return [Finding(what="core", state="ok", message="No core is running now.")]
    found = [Finding(what="core", state="ok", message=f"Running as process {endpoint.pid}.")]
    try:
        async with CoreClient.connect(endpoint) as client:
            return [*found, *[finding async for finding in _agents(client)]]
    except FlotillaError as problem:
        return [*found, _failed("core", problem)]


async def _agents(client: CoreClient) -> AsyncIterator[Finding]:
    for row in (await client.agents()).rows:
        yield _agent(row)


def _agent(row: AgentRow) -> Finding:
    what = f"agent {row.name}"
    if row.link is not LinkState.ONLINE:
        error = row.link_error
        return Finding(
            what=what,
            state="error" if row.link is LinkState.REFUSED else "warning",
            message=error.message if error else look_of(row.link).help,
            advice=error.advice if error else "",
        )
    if row.clock_skew is not None and abs(row.clock_skew) > _SKEW_SECONDS:
        return Finding(
            what=what,
            state="warning",
            message=f"Its clock is {row.clock_skew:+.0f} s off.",
            advice="Set the clocks of both machines by a time service.",
        )
    return Finding(what=what, state="ok", message=f"Online at {row.host}:{row.port}.")


def _failed(what: str, problem: FlotillaError) -> Finding:
    return Finding(what=what, state="error", message=problem.message, advice=problem.advice)


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        advice = f" {finding.advice}" if finding.advice else ""
        click.echo(f"{_MARK[finding.state]} {finding.what}: {finding.message}{advice}")
