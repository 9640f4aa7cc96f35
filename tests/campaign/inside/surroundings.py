"""What a started process knows of the campaign: the folder of its machine, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOM = "FLOTILLA_CAMPAIGN_ROOM"
"""The campaign's folder; also the mark by which left-over processes are found."""
MACHINE = "FLOTILLA_CAMPAIGN_MACHINE"
PLANT = "FLOTILLA_CAMPAIGN_PLANT"


@dataclass(frozen=True)
class Surroundings:
    """One machine of the campaign: a core's or an agent's."""

    room: Path
    machine: str
    plant: str = ""
    """Name of the planted bug; empty for none."""

    @classmethod
    def read(cls) -> Surroundings:
        """Read them from this process's environment."""
        return cls(Path(os.environ[ROOM]), os.environ[MACHINE], os.environ.get(PLANT, ""))

    def environment(self) -> Mapping[str, str]:
        """Return the variables that tell a process of them."""
        return {ROOM: str(self.room), MACHINE: self.machine, PLANT: self.plant}

    @property
    def folder(self) -> Path:
        """Where this machine's points are armed and its clock is set."""
        return self.room / "machines" / self.machine
