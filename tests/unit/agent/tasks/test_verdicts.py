"""What an error proves of an effect that was being sent, and when looking is no use."""

import pytest

from agent.tasks.verdicts import ends_looking, settled_by
from common.domain.states import ActionState
from common.domain.transitions import may_action_become
from common.errors import (
    AmbiguousEffectError,
    ChallengeRequiredError,
    ContentRefusedError,
    DriverError,
    FlotillaError,
    PlatformUnreachableError,
    ProxyFailedError,
    RateLimitedError,
    RunnerLostError,
    SessionExpiredError,
    StoreError,
)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ContentRefusedError("no"), ActionState.PROVEN_ABSENT),
        (ProxyFailedError("no"), ActionState.PREPARED),
        (PlatformUnreachableError("no"), ActionState.PREPARED),
        (AmbiguousEffectError("who knows"), ActionState.IN_DOUBT),
        (RunnerLostError("gone"), ActionState.IN_DOUBT),
        (DriverError("a defect"), ActionState.IN_DOUBT),
        (StoreError("full"), ActionState.IN_DOUBT),
        (None, ActionState.IN_DOUBT),
    ],
)
def test_an_effect_goes_back_only_where_the_error_proves_it(
    error: FlotillaError | None, state: ActionState
) -> None:
    assert settled_by(error)[0] is state


def every_error() -> list[type[FlotillaError]]:
    found: list[type[FlotillaError]] = [FlotillaError]
    for cls in found:
        found.extend(cls.__subclasses__())
    return found


@pytest.mark.parametrize("kind", every_error())
def test_every_settlement_may_follow_sending(kind: type[FlotillaError]) -> None:
    state, _ = settled_by(kind("something"))
    assert may_action_become(ActionState.SENDING, state)


def test_looking_ends_where_only_a_person_can_mend_it() -> None:
    for kind in (SessionExpiredError, ChallengeRequiredError):
        assert ends_looking(kind("no"))
    for other in (RateLimitedError, PlatformUnreachableError, ProxyFailedError, DriverError):
        assert not ends_looking(other("no"))
