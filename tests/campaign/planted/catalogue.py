"""Every planted bug by name, and the process that it is planted in."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from tests.campaign.inside.failpoints import Process


@dataclass(frozen=True)
class Plant:
    """One bug."""

    name: str
    """Also the name of the function that plants it."""
    process: Process


PLANTS: tuple[Plant, ...] = (
    Plant("ack_before_commit", "core"),
    Plant("duplicate_apply", "core"),
    Plant("last_frame_dropped", "core"),
    Plant("token_in_log", "core"),
    Plant("no_fsync_before_send", "agent"),
    Plant("sequence_reuse", "agent"),
    Plant("fence_ignored", "agent"),
    Plant("cancel_during_sending", "agent"),
    Plant("log_gap_hidden", "agent"),
    Plant("blob_evicted", "agent"),
    Plant("retry_without_probe", "runner"),
    Plant("probe_wait_zero", "runner"),
)


SETTINGS: tuple[Plant, ...] = (Plant("slow_platform", "runner"),)
"""No bugs: parts that a case needs, with its bug and without it."""


def plant(names: str, process: Process) -> None:
    """Plant the bugs and parts with these names, joined by `+`, where they belong here."""
    wanted = names.split("+")
    for known in (*SETTINGS, *PLANTS):
        if known.name in wanted and known.process == process:
            getattr(import_module(f"tests.campaign.planted.in_{process}"), known.name)()
