"""Accounts as a table: columns, search text, and what is said of one account."""

from __future__ import annotations

from common.domain.accounts import DriverName
from common.domain.states import SignInState, look_of
from common.drivers import DRIVER_TITLES
from desktop_app.contract.accounts import AccountRow
from desktop_app.ui.models.cells import NOTHING, Cell, Chips, Moment, Pill, Text, pill_of
from desktop_app.ui.models.formats import moment
from desktop_app.ui.models.table import Column, RowTable

HELD = Pill("Held", "pause", "warning", "Stopped from being used until you release it.")

_SIGN_IN_ORDER = {state: place for place, state in enumerate(SignInState)}


def driver_label(driver: DriverName | None) -> str:
    """Return a driver's name to show; None is the planner's choice."""
    return DRIVER_TITLES[driver] if driver else "Automatic"


def state_pill(account: AccountRow) -> Pill:
    """Return the one state that matters of an account: held before anything else."""
    if account.hold is not None:
        return Pill(HELD.text, HELD.icon, HELD.colour, account.hold.reason or HELD.help)
    return pill_of(look_of(account.sign_in))


def state_key(account: AccountRow) -> str:
    """Return the state that the filter chips of the page go by."""
    return "held" if account.hold is not None else account.sign_in.value


def account_facts(account: AccountRow) -> list[tuple[str, str]]:
    """Return what the inspector says of an account, as names and values."""
    hold = [("Held because", account.hold.reason)] if account.hold else []
    return [
        *hold,
        ("Platform", account.platform.capitalize()),
        ("Tags", ", ".join(account.tags)),
        ("Driver", driver_label(account.driver)),
        ("Proxy", account.proxy or "None"),
        ("Agent", account.agent or "Not assigned yet"),
        ("Password", "Saved" if account.has_password else "None"),
        ("TOTP seed", "Saved" if account.has_totp else "None"),
        ("Posts", f"{account.posts:,}"),
        ("Checked", moment(account.sign_in_at)),
        ("User id", account.user_id),
        ("Added", moment(account.created_at)),
    ]


def _problem(account: AccountRow) -> Cell:
    error = account.hold.error if account.hold and account.hold.error else account.error
    if error is None:
        return Text("", muted=True)
    return Text(error.message, colour="danger", icon="circle-alert")


def _text_or_nothing(text: str) -> Cell:
    return Text(text, muted=True) if text else NOTHING


def _columns() -> tuple[Column[AccountRow], ...]:
    return (
        Column(
            "username",
            "Account",
            lambda a: Text(a.username, strong=True, after=a.full_name),
            lambda a: a.username.lower(),
            width=230,
        ),
        Column(
            "state",
            "State",
            state_pill,
            lambda a: (a.hold is None, _SIGN_IN_ORDER[a.sign_in]),
            width=134,
        ),
        Column(
            "tags", "Tags", lambda a: Chips(tuple(a.tags)), lambda a: a.tags, width=170, spare=1,
        ),
        Column(
            "driver",
            "Driver",
            lambda a: Text(driver_label(a.driver), muted=True),
            lambda a: a.driver or "",
            width=104,
            spare=2,
        ),
        Column(
            "proxy", "Proxy", lambda a: _text_or_nothing(a.proxy), lambda a: a.proxy, width=170,
            hidden=True,
        ),
        Column(
            "agent", "Agent", lambda a: _text_or_nothing(a.agent), lambda a: a.agent, width=120,
            spare=3,
        ),
        Column(
            "posts",
            "Posts",
            lambda a: Text(f"{a.posts:,}", right=True, muted=not a.posts),
            lambda a: a.posts,
            width=76,
            right=True,
            spare=5,
            help="Posts that Flotilla has published on it.",
        ),
        Column(
            "sign_in_at",
            "Checked",
            lambda a: Moment(a.sign_in_at),
            lambda a: a.sign_in_at or 0.0,
            width=104,
            right=True,
            spare=4,
            help="When the state of its session was learnt.",
        ),
        Column("problem", "Problem", _problem, lambda a: a.error is None, width=150, stretch=True),
        Column(
            "created_at", "Added", lambda a: Moment(a.created_at), lambda a: a.created_at,
            width=104, right=True, hidden=True,
        ),
    )  # fmt: skip


def _search_text(account: AccountRow) -> str:
    parts = [account.username, account.full_name, account.proxy, account.agent, *account.tags]
    if account.error:
        parts.append(account.error.message)
    return " ".join(parts)


def account_table() -> RowTable[AccountRow]:
    """Return an empty table of accounts."""
    return RowTable(_columns(), lambda account: account.id, search=_search_text)
