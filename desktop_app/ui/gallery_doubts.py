"""The sample fleet's doubts: attention cards and ledgers as a bad night leaves them. No network."""

from __future__ import annotations

from collections.abc import Sequence

from common.domain.accounts import DriverName
from common.domain.content import Baseline, ListedPost
from common.domain.states import ActionState
from common.errors import AmbiguousEffectError
from desktop_app.contract.cards import CardAct, CardRow, OurSide, TheirSide
from desktop_app.contract.runs import ItemRow, LedgerEntry

_MINUTE = 60.0
_HOUR = 3600.0
_OPERATOR = "Ana Souza"
_ALL: list[CardAct] = ["it_is_there", "publish_it", "look_again", "close"]
_LISTED = tuple(str(3_419_990_000_000 + number * 131) for number in range(12))


def sample_cards(items: Sequence[ItemRow], now: float, count: int) -> list[CardRow]:
    """Return cards about these items: waiting, answered while an agent is offline, and settled."""
    return [_card(number, items[number % len(items)], now) for number in range(count)]


def _card(number: int, item: ItemRow, now: float) -> CardRow:
    opened = now - (4 + number * 23) * _MINUTE
    agent, online = (("dock-1", True), ("dock-2", True), ("pier-9", False))[number % 3]
    kind = number % 4
    answered = number == 2
    settled = number >= 3 and number % 3 == 1
    return CardRow(
        id=f"{number:02d}{item.id[2:]}",
        kind="unresolved_publish",
        title=f"Is {item.title[:1].lower()}{item.title[1:]} published on @{item.username}?",
        text=_TEXTS[kind].format(agent=agent),
        account_id=item.account_id,
        username=item.username,
        run_id=item.run_id,
        item_id=item.id,
        action_id=f"a{number:025d}",
        action=ActionState.CONFIRMED if settled else ActionState.UNRESOLVED,
        agent_id=agent,
        agent=agent,
        agent_online=online,
        held=(3, 0, 1, 7)[kind],
        ours=_ours(item, agent, opened - 3 * _MINUTE, kind),
        theirs=_theirs(item, opened, kind),
        acts=[] if settled or answered else _ALL,
        opened_at=opened,
        answer="it_is_there" if answered or settled else None,
        answered_at=opened + _MINUTE if answered or settled else None,
        answered_by=_OPERATOR if answered or settled else "",
        resolved_at=opened + 2 * _MINUTE if settled else None,
        resolution=f"{_OPERATOR} said that it is there." if settled else "",
    )


_ON_HOLD = "Nothing more is published on this account until it is settled."
_TEXTS = (
    "The connection broke while {agent} waited for the platform's answer. " + _ON_HOLD,
    "The platform answered with an error after the post was sent. " + _ON_HOLD,
    "{agent} stopped in the middle of the deciding request. " + _ON_HOLD,
    "The platform gave no answer within 60 seconds, and this driver has no way to look.",
)


def _ours(item: ItemRow, agent: str, sent_at: float, kind: int) -> OurSide:
    error = AmbiguousEffectError(
        ("The connection broke before the platform answered.",
         "The platform answered 502 to the deciding request.",
         "The runner ended while the request was on its way.",
         "The platform did not answer within 60 seconds.")[kind],
        subject=item.username,
    ).to_wire()  # fmt: skip
    return OurSide(
        title=item.title,
        kind=item.post_kind,
        caption=f"{item.caption}\nFreshly in at the quay.\n\n#harbour #coast",
        media=item.media,
        driver=DriverName.BROWSER if kind == 2 else DriverName.PRIVATE_API,
        agent=agent,
        sent_at=sent_at,
        resume={"upload_id": "1763905511042"} if kind != 2 else {},
        error=error,
    )


def _theirs(item: ItemRow, opened: float, kind: int) -> TheirSide:
    caption = f"{item.caption}\nFreshly in at the quay.\n\n#harbour #coast"
    if kind == 1:
        return TheirSide(note="Six looks failed: the platform answered 503 each time.")
    if kind == 3:
        return TheirSide(note="The driver cannot list posts, so nobody but you can look.")
    posts = [
        ListedPost(
            remote_id="3419992871004", url="http://127.0.0.1:8700/p/C88f1c2/",
            kind=item.post_kind, caption=caption, taken_at=opened - 3 * _MINUTE + 4,
        ),
        ListedPost(
            remote_id="3419992871377", url="http://127.0.0.1:8700/p/C88f2a9/",
            kind=item.post_kind, caption=caption, taken_at=opened - 2 * _MINUTE,
        ),
    ]  # fmt: skip
    if kind == 2:
        other = posts[0].model_copy(update={"caption": "Closed on Monday. See you on Tuesday."})
        return TheirSide(
            looked_at=opened, posts=[other], note="Its caption is not the one that was sent."
        )
    return TheirSide(
        looked_at=opened, posts=posts, note="Two new posts have this caption; only one can be it."
    )


def doubtful_ledger(item: ItemRow, action_id: str) -> list[LedgerEntry]:
    """Return the ledger of a post whose answer was lost, as far as the item has come."""
    steps = [step for step in _STEPS if _is_reached(item, step)]
    began = item.started_at or 0.0
    return [
        LedgerEntry(
            at=began + after, action_id=action_id, attempt=1, operation="publish", state=state,
            driver=item.driver, agent=item.agent, seq=4100 + number, note=note,
            resume={"upload_id": "1763905511042"} if number else {},
            remote_id="3419992871004" if state is ActionState.CONFIRMED else "",
            remote_url=item.link if state is ActionState.CONFIRMED else "",
            baseline=_BASELINE if state is ActionState.SENDING else None,
            sighted=_sighted(item, began, state),
            item_id=item.id, run_id=item.run_id, title=item.title,
        )
        for number, (after, state, note) in enumerate(steps)
    ]  # fmt: skip


_BASELINE = Baseline(post_ids=_LISTED, platform_time=1_763_905_500.0)
_STEPS: tuple[tuple[float, ActionState, str], ...] = (
    (0.0, ActionState.PLANNED, "written down, nothing has been sent"),
    (0.42, ActionState.PREPARED, "uploading"),
    (3.87, ActionState.PREPARED, "uploaded"),
    (4.02, ActionState.SENDING, "the deciding request leaves"),
    (19.41, ActionState.IN_DOUBT, "the connection broke before the platform answered"),
    (19.44, ActionState.RECONCILING, "looking at the account's own list"),
    (22.19, ActionState.CONFIRMED, "found by caption and time, 4 s after it was sent"),
)


def _is_reached(item: ItemRow, step: tuple[float, ActionState, str]) -> bool:
    state = step[1]
    if item.action is ActionState.SENDING:
        return state in (ActionState.PLANNED, ActionState.PREPARED, ActionState.SENDING)
    if item.action in (ActionState.IN_DOUBT, ActionState.RECONCILING):
        return state is not ActionState.CONFIRMED
    return True


def _sighted(item: ItemRow, began: float, state: ActionState) -> list[ListedPost]:
    if state is not ActionState.CONFIRMED:
        return []
    return [
        ListedPost(
            remote_id="3419992871004", url=item.link, kind=item.post_kind,
            caption=item.caption, taken_at=began + 8.0,
        )
    ]  # fmt: skip
