"""Running a state machine: to find that it holds, or to find that it notices a planted mistake."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

STEPS = 50
EXAMPLES_TO_CATCH = 3000
"""A planted mistake that this many examples do not show would pass unnoticed."""
_CALM = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

Machine = type[RuleBasedStateMachine]


def hold(machine: Machine, examples: int) -> None:
    """Run a machine; a failure prints how to repeat it, and is kept in Hypothesis' database."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            suppress_health_check=_CALM,
        ),
    )


def assert_caught(machine: Machine) -> None:
    """Require that a machine with a planted mistake fails; always by the same examples."""
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(AssertionError):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES_TO_CATCH,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=_CALM,
            ),
        )
