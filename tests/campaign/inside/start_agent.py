"""The agent's program with points in it: `python -m tests.campaign.inside.start_agent run ...`.

Its runners are started by `start_runner`, everything else is what `flotilla-agent` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import agent.app
from agent.cli import main as shipped_main
from agent.runners.messages import RunnerKind
from tests.campaign.inside import agent_points, clock, tweaks
from tests.campaign.inside.failpoints import Failpoints
from tests.campaign.inside.surroundings import Surroundings
from tests.campaign.inside.wrapping import wrap
from tests.campaign.planted.catalogue import plant

_SHIPPED_RUNNER = "agent.runners.main"
_OUR_RUNNER = "tests.campaign.inside.start_runner"
Command = Callable[[RunnerKind], Sequence[str]]


def main() -> None:
    """Compose the program and run it."""
    surroundings = Surroundings.read()
    clock.install(surroundings.folder)
    tweaks.install(surroundings.folder)
    agent_points.install(Failpoints(surroundings.folder))
    wrap(agent.app, "_runner_command", _with_our_runner)
    plant(surroundings.plant, "agent")
    shipped_main()


def _with_our_runner(shipped: Callable[..., Command]) -> Callable[..., Command]:
    def runner_command(*given: object) -> Command:
        command = shipped(*given)

        def ours(kind: RunnerKind) -> Sequence[str]:
            words = list(command(kind))
            words[words.index(_SHIPPED_RUNNER)] = _OUR_RUNNER
            return words

        return ours

    return runner_command


if __name__ == "__main__":
    main()
