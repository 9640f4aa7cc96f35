"""The core's program with points in it: `python -m tests.campaign.inside.start_core serve ...`."""

from __future__ import annotations

from desktop_app.cli import main as shipped_main
from tests.campaign.inside import clock, core_points, tweaks
from tests.campaign.inside.failpoints import Failpoints
from tests.campaign.inside.surroundings import Surroundings
from tests.campaign.planted.catalogue import plant


def main() -> None:
    """Compose the program and run it."""
    surroundings = Surroundings.read()
    clock.install(surroundings.folder)
    tweaks.install(surroundings.folder)
    core_points.install(Failpoints(surroundings.folder))
    plant(surroundings.plant, "core")
    shipped_main()


if __name__ == "__main__":
    main()
