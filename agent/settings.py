"""The agent's settings: agent.toml in the data folder, over it FLOTILLA_AGENT_* variables.

What the command line names explicitly comes first of all.
"""

import os
import socket
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from common.errors import InputError
from common.infra.paths import data_folder

SETTINGS_FILE = "agent.toml"
PREFIX = "FLOTILLA_AGENT_"
DEFAULT_PORT = 8088
_GIB = 1024**3


class AgentSettings(BaseSettings):
    """Everything about an agent that may be set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data: Path = Field(default_factory=lambda: data_folder("flotilla-agent"))
    """The folder of the journal, media, logs and profiles."""
    name: str = Field(default_factory=socket.gethostname, min_length=1, max_length=100)
    """What desktops call this agent."""
    host: str = ""
    """The address to listen at; empty: loopback until a desktop is paired, then every one."""
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    """0 takes any free one."""
    public_host: str = Field(default="", pattern=r"^[A-Za-z0-9.:\-]*$")
    """The address or name that desktops dial, for the pairing line; empty: found by itself."""
    browser_slots: int = Field(default=4, ge=0, le=64)
    """Browsers open at once; 0 for an agent without browsers."""
    visible_browser: bool = False
    """Show the browsers' windows on this machine."""
    api_runners: int = Field(default_factory=lambda: max(1, os.cpu_count() or 1), ge=1, le=64)
    """Processes for accounts without a browser, at most."""
    api_workers: int = Field(default=16, ge=1, le=64)
    """Items at once in one such process."""
    uploads_at_once: int = Field(default=4, ge=1, le=64)
    """Uploads at once in one such process."""
    capacity: float = Field(default=1.0, ge=0, le=1000)
    """Relative weight when desktops place accounts."""
    media_quota_gib: float = Field(default=20.0, gt=0)
    """Media kept for later use, GiB."""
    disk_reserve_mib: int = Field(default=512, ge=0)
    """Disk left free when media arrives, MiB."""
    ballast_mib: int = Field(default=64, ge=1, le=4096)
    """Disk taken by a file that is given up when it is full, MiB; less on a small disk."""
    logs_quota_gib: float = Field(default=2.0, gt=0)
    """Logs of items kept, GiB; those of items that have not ended are never deleted."""
    logs_days: float = Field(default=90.0, gt=0)
    """How long logs of ended items are kept, days."""
    dead_man_hours: float = Field(default=0.0, ge=0, le=10_000)
    """Hours without its desktop after which the agent publishes nothing more; 0 for never."""
    stop_seconds: float = Field(default=20.0, ge=1, le=600)
    """How long a stopping agent waits for what is being sent."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def media_quota(self) -> int:
        """Media kept for later use, bytes."""
        return int(self.media_quota_gib * _GIB)

    @property
    def ballast(self) -> int:
        """Disk taken by a file that is given up when it is full, bytes."""
        return self.ballast_mib * 1024 * 1024

    @property
    def logs_quota(self) -> int:
        """Logs of items kept, bytes."""
        return int(self.logs_quota_gib * _GIB)

    @property
    def disk_reserve(self) -> int:
        """Disk left free when media arrives, bytes."""
        return self.disk_reserve_mib * 1024 * 1024


def load_settings(data: Path | None = None, **given: Any) -> AgentSettings:
    """Read the settings of the agent in `data`; `given` values that are not None come first.

    Raises InputError that names the field, and the file or variable it stands in.
    """
    folder = data or Path(os.environ.get(f"{PREFIX}DATA") or data_folder("flotilla-agent"))
    file = folder / SETTINGS_FILE

    class _WithFile(AgentSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            """Command line, then variables, then the file."""
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    explicit = {name: value for name, value in given.items() if value is not None}
    try:
        return _WithFile(data=folder.absolute(), **explicit)
    except tomllib.TOMLDecodeError as problem:
        raise InputError(
            f"{file} is not valid TOML: {problem}.", subject=str(file), advice="Correct the file."
        ) from None
    except ValidationError as problem:
        raise _named(problem, file) from None


def _named(problem: ValidationError, file: Path) -> InputError:
    first = problem.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    variable = f"{PREFIX}{field.upper()}"
    source = variable if variable in os.environ else f"{field} in {file}"
    return InputError(
        f"The setting {source} cannot be used: {first['msg']}.",
        field=field,
        subject=str(file),
        advice="Correct or remove it, then start the agent again.",
    )
