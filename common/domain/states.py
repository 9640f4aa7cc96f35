"""Every state an item, an action, a run, an account or an agent link can be in.

Each state's label, sentence of help, colour token and icon is defined here, once, for the window,
the command line and the documentation alike. How states may follow each other is in
`transitions.py`.
"""

from dataclasses import dataclass
from enum import StrEnum


class ItemState(StrEnum):
    """Where one unit of a run stands."""

    QUEUED = "queued"
    ASSIGNED = "assigned"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    PAUSED = "paused"
    NEEDS_OPERATOR = "needs_operator"
    MISSED = "missed"
    INTERRUPTED = "interrupted"


class ActionState(StrEnum):
    """Where one external effect stands. Between `sending` and a verdict nothing is repeated."""

    PLANNED = "planned"
    PREPARED = "prepared"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    IN_DOUBT = "in_doubt"
    RECONCILING = "reconciling"
    PROVEN_ABSENT = "proven_absent"
    UNRESOLVED = "unresolved"


class RunState(StrEnum):
    """Where one execution of a task stands; derived from its items."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SignInState(StrEnum):
    """What is known of an account's session."""

    UNKNOWN = "unknown"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    CHALLENGE = "challenge"
    REFUSED = "refused"


class LinkState(StrEnum):
    """What is known of the link to an agent. Disconnected is not lost: its items go on."""

    CONNECTING = "connecting"
    ONLINE = "online"
    SUSPECT = "suspect"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"


State = ItemState | ActionState | RunState | SignInState | LinkState


@dataclass(frozen=True, slots=True)
class StateLook:
    """How one state is shown."""

    label: str
    """One or two words, sentence case."""
    help: str
    """One sentence that says what the state means for the operator."""
    colour: str
    """A colour token: neutral, info, running, success, warning, danger or attention."""
    icon: str
    """A file name in `resources/icons/lucide`, without the ending."""


_ITEM: dict[ItemState, StateLook] = {
    ItemState.QUEUED: StateLook(
        "Queued", "Planned, and not yet handed to an agent.", "neutral", "circle"
    ),
    ItemState.ASSIGNED: StateLook(
        "Assigned", "The agent has it and will run it in turn.", "info", "circle-dot"
    ),
    ItemState.RUNNING: StateLook("Running", "The agent is working on it now.", "running", "loader"),
    ItemState.DONE: StateLook("Done", "Finished and verified.", "success", "circle-check"),
    ItemState.FAILED: StateLook(
        "Failed", "It ended with an error; the error says what to do next.", "danger", "circle-x"
    ),
    ItemState.CANCELLED: StateLook(
        "Cancelled", "Stopped by the operator before it had an effect.", "neutral", "circle-slash"
    ),
    ItemState.SKIPPED: StateLook(
        "Skipped", "Nothing had to be done, and the item says why.", "neutral", "skip-forward"
    ),
    ItemState.PAUSED: StateLook(
        "Paused", "Waits until the operator resumes it.", "warning", "pause"
    ),
    ItemState.NEEDS_OPERATOR: StateLook(
        "Needs you", "Waits for a decision that only the operator can take.", "attention", "hand"
    ),
    ItemState.MISSED: StateLook(
        "Missed", "Its time passed while nothing could run it.", "warning", "clock-alert"
    ),
    ItemState.INTERRUPTED: StateLook(
        "Interrupted",
        "The agent stopped in the middle of it; it goes on when the agent is back.",
        "warning",
        "unplug",
    ),
}

_ACTION: dict[ActionState, StateLook] = {
    ActionState.PLANNED: StateLook("Planned", "Nothing has been sent.", "neutral", "circle"),
    ActionState.PREPARED: StateLook(
        "Prepared", "The media is uploaded; nothing is visible yet.", "info", "circle-dot"
    ),
    ActionState.SENDING: StateLook(
        "Sending", "The deciding request is on its way: the point of no return.", "running", "send"
    ),
    ActionState.CONFIRMED: StateLook(
        "Confirmed", "The platform confirmed it.", "success", "circle-check"
    ),
    ActionState.IN_DOUBT: StateLook(
        "In doubt",
        "It may or may not have happened. It is not repeated until that is settled.",
        "attention",
        "circle-question-mark",
    ),
    ActionState.RECONCILING: StateLook(
        "Reconciling", "The platform is being asked whether it happened.", "running", "refresh-cw"
    ),
    ActionState.PROVEN_ABSENT: StateLook(
        "Proven absent", "The platform showed that it did not happen.", "info", "search"
    ),
    ActionState.UNRESOLVED: StateLook(
        "Unresolved", "Only a person can say whether it happened.", "attention", "hand"
    ),
}

_RUN: dict[RunState, StateLook] = {
    RunState.STARTING: StateLook(
        "Starting", "Its items are being handed to the agents.", "info", "circle-dot"
    ),
    RunState.RUNNING: StateLook("Running", "Items are being worked on.", "running", "loader"),
    RunState.PAUSED: StateLook("Paused", "No further item starts.", "warning", "pause"),
    RunState.DONE: StateLook("Done", "Every item has ended well.", "success", "circle-check"),
    RunState.FAILED: StateLook(
        "Ended with errors", "Every item has ended, some with an error.", "danger", "circle-x"
    ),
    RunState.CANCELLED: StateLook(
        "Cancelled", "Stopped by the operator.", "neutral", "circle-slash"
    ),
}

_SIGN_IN: dict[SignInState, StateLook] = {
    SignInState.UNKNOWN: StateLook(
        "Not checked", "No sign-in has been tried from here.", "neutral", "circle"
    ),
    SignInState.SIGNED_IN: StateLook(
        "Signed in", "The session was verified by an authenticated read.", "success", "circle-check"
    ),
    SignInState.SIGNED_OUT: StateLook(
        "Signed out", "The platform no longer accepts the session.", "warning", "log-in"
    ),
    SignInState.CHALLENGE: StateLook(
        "Challenge", "The platform asks for a person. The account is held.", "attention", "hand"
    ),
    SignInState.REFUSED: StateLook(
        "Refused", "The platform refused the credentials.", "danger", "circle-x"
    ),
}

_LINK: dict[LinkState, StateLook] = {
    LinkState.CONNECTING: StateLook("Connecting", "Dialling the agent.", "info", "loader"),
    LinkState.ONLINE: StateLook("Online", "The agent answers.", "success", "circle-check"),
    LinkState.SUSPECT: StateLook(
        "Suspect", "Nothing was heard from the agent for 15 seconds.", "warning", "triangle-alert"
    ),
    LinkState.DISCONNECTED: StateLook(
        "Disconnected",
        "No link to the agent. What it accepted goes on there.",
        "danger",
        "plug-zap",
    ),
    LinkState.REFUSED: StateLook(
        "Refused", "The agent answers, but does not accept this desktop.", "danger", "lock"
    ),
}


# Kept apart by kind: members of two string enums with one value are equal as keys.
_LOOKS: dict[type[State], dict[str, StateLook]] = {
    ItemState: {state.value: look for state, look in _ITEM.items()},
    ActionState: {state.value: look for state, look in _ACTION.items()},
    RunState: {state.value: look for state, look in _RUN.items()},
    SignInState: {state.value: look for state, look in _SIGN_IN.items()},
    LinkState: {state.value: look for state, look in _LINK.items()},
}


def look_of(state: State) -> StateLook:
    """Return how `state` is shown."""
    return _LOOKS[type(state)][state.value]
