"""A runner's program with points in it; started by an agent that `start_agent` started."""

from __future__ import annotations

import sys

from agent.runners.main import main as shipped_main
from agent.runners.messages import RunnerKind
from tests.campaign.inside import clock, disguised_client, numbered_lines, runner_points
from tests.campaign.inside.failpoints import Failpoints
from tests.campaign.inside.surroundings import Surroundings
from tests.campaign.planted.catalogue import plant


def main() -> None:
    """Compose the program and run it."""
    surroundings = Surroundings.read()
    clock.install(surroundings.folder)
    numbered_lines.install()
    kind = RunnerKind(sys.argv[sys.argv.index("--kind") + 1])
    runner_points.install(Failpoints(surroundings.folder), kind)
    if kind is RunnerKind.API:
        disguised_client.install(surroundings.room)
    plant(surroundings.plant, "runner")
    shipped_main()


if __name__ == "__main__":
    main()
