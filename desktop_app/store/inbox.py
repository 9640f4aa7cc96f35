"""Applies what agents report: a batch of events and the cursor behind it, in one transaction.

Nothing is decided here that `inbox_rules.py` could decide, and nothing that was taken is lost: an
event that changes nothing is kept, sealed, with the reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, and_, bindparam, select, true, update

from common.domain.states import ActionState, ItemState, SignInState
from common.domain.transitions import IN_DOUBT_STATES, ITEM_FINAL
from common.errors import DuplicateIntentError, NotFoundError
from common.protocol.events import (
    AccountObserved,
    ActionChanged,
    AgentEvent,
    ItemChanged,
    OutboxRow,
    SessionSaved,
    UnknownEvent,
    parse_events,
)
from common.protocol.messages import Cursor
from common.protocol.outbox import take_batch
from desktop_app.store import cards, holders, runs
from desktop_app.store.accounts import HELD_BY_PLATFORM
from desktop_app.store.cards import Doubt
from desktop_app.store.inbox_rows import ACCOUNTS, INTENTS, ITEMS, Entity
from desktop_app.store.inbox_rules import (
    does_end_free,
    does_intent_step_apply,
    does_item_step_apply,
    is_finished_by_its_post,
    is_word_heard,
    resolution_of,
    state_to_take,
)
from desktop_app.store.records import error_to_store
from desktop_app.store.specs import session_row
from desktop_app.store.tables import (
    AGENT,
    ITEM,
    LEDGER_STEP,
    MEDIA,
    PUBLISH_INTENT,
    SESSION,
    UNAPPLIED_EVENT,
)
from desktop_app.store.touched import ItemMove, LogGrowth, Touched
from desktop_app.store.upsert import chunks, prepare_inserting, upsert
from desktop_app.store.vault import Vault

_CHALLENGE_REASON = "The platform asks for a person."
_CLOSED = "Closed without a verdict. The same media is not published on this account again."
_TAKEN = "The agent found a post that is another item's already."
_NOT_ITS_OWN = "from an agent that does not have it"
_NEVER_ITS_OWN = "from an agent that never had it"
_STEP_KEYS = ("agent_id", "epoch", "seq")
_KEEP_STEP = prepare_inserting(LEDGER_STEP, keys=_STEP_KEYS)
_KEEP_UNAPPLIED = prepare_inserting(UNAPPLIED_EVENT, keys=_STEP_KEYS)


_SETTLED = select(PUBLISH_INTENT.c.account_id, PUBLISH_INTENT.c.remote_id).where(
    PUBLISH_INTENT.c.remote_id.in_(bindparam("ids", expanding=True))
)
_VERSIONS = select(SESSION.c.account_id, SESSION.c.driver, SESSION.c.version).where(
    SESSION.c.account_id.in_(bindparam("ids", expanding=True))
)
_USE_MEDIA = (
    update(MEDIA)
    .where(MEDIA.c.sha256 == bindparam("b_id"))
    .values(used=MEDIA.c.used + bindparam("b_used"))
)
_CURSOR = (
    select(AGENT.c.cursor_epoch, AGENT.c.cursor_seq, AGENT.c.cursor_at)
    .where(AGENT.c.id == bindparam("b_id"))
    .with_for_update()
)
_MOVE_CURSOR = (
    update(AGENT)
    .where(AGENT.c.id == bindparam("b_id"))
    .values(cursor_seq=bindparam("b_seq"), cursor_at=bindparam("b_at"))
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch did."""

    touched: Touched
    cursor: Cursor
    """Acknowledge this, now that it is committed."""
    refused: int = 0
    """How many events were not taken because the agent has no say in what they are about."""


def apply_batch(
    connection: Connection, vault: Vault, agent_id: str, epoch: str, rows: Sequence[OutboxRow]
) -> Applied:
    """Apply the new ones of an agent's events and move the cursor behind them.

    What was applied before is left out by the stored cursor. Raises NotFoundError for an agent
    that is not paired, and LinkError where the events do not follow from the cursor.
    """
    stored = connection.execute(_CURSOR, {"b_id": agent_id}).first()
    if stored is None:
        raise NotFoundError("This agent is not paired.", subject=agent_id)
    batch = take_batch(Cursor(epoch=stored[0], seq=stored[1], at=stored[2]), epoch, rows)
    if not batch.rows:
        return Applied(Touched(), batch.cursor)
    events = parse_events([row.body for row in batch.rows])
    application = _Application(connection, vault, agent_id, epoch)
    application.load(events)
    for row, event in zip(batch.rows, events, strict=True):
        application.apply(row, event)
    touched = application.save()
    after = {"b_id": agent_id, "b_seq": batch.cursor.seq, "b_at": batch.cursor.at}
    connection.execute(_MOVE_CURSOR, after)
    return Applied(touched, batch.cursor, application.refused)


@dataclass(slots=True)
class _Application:
    """Applies events to rows in memory, in order, and writes each changed row once."""

    connection: Connection
    vault: Vault
    agent_id: str
    epoch: str
    items: dict[str, Entity] = field(default_factory=dict)
    accounts: dict[str, Entity] = field(default_factory=dict)
    intents: dict[str, Entity] = field(default_factory=dict)
    session_versions: dict[tuple[str, str], int] = field(default_factory=dict)
    sessions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    unapplied: list[dict[str, Any]] = field(default_factory=list)
    moves: list[ItemMove] = field(default_factory=list)
    logs: dict[str, LogGrowth] = field(default_factory=dict)
    used_media: dict[str, int] = field(default_factory=dict)
    settled: set[tuple[str, str]] = field(default_factory=set)
    """Account and remote id of posts that settle an intent already."""
    cards: set[str] = field(default_factory=set)
    had: set[str] = field(default_factory=set)
    """Items that another agent has now and that this one had before."""
    left: list[str] = field(default_factory=list)
    """Items that this agent has ended, and that are not over here."""
    refused: int = 0

    def load(self, events: Iterable[AgentEvent | UnknownEvent]) -> None:
        """Read every row that the events are about, with one statement per table."""
        items: set[str] = set()
        actions: set[str] = set()
        accounts: set[str] = set()
        remote_ids: set[str] = set()
        saved: set[str] = set()
        ending: set[str] = set()
        for event in events:
            match event:
                case ItemChanged():
                    items.add(event.item_id)
                    if event.state in ITEM_FINAL:
                        ending.add(event.item_id)
                case ActionChanged():
                    items.add(event.item_id)
                    actions.add(event.action_id)
                    accounts.add(event.account_id)
                    remote_ids.add(event.remote_id)
                case AccountObserved():
                    accounts.add(event.account_id)
                case SessionSaved():
                    accounts.add(event.account_id)
                    saved.add(event.account_id)
        self.items = ITEMS.read(self.connection, items)
        accounts.update(item["account_id"] for item in self.items.values())
        # What an item's end means depends on its post.
        actions.update(
            self.items[item_id]["intent_id"] or "" for item_id in ending & self.items.keys()
        )
        actions.discard("")
        self.accounts = ACCOUNTS.read(self.connection, accounts)
        self.intents = INTENTS.read(self.connection, actions)
        whose = {intent["item_id"] for intent in self.intents.values()}
        self.items |= ITEMS.read(self.connection, whose - self.items.keys())
        others = {id_ for id_, item in self.items.items() if item["agent_id"] != self.agent_id}
        self.had = holders.had_by(self.connection, self.agent_id, others)
        self._load_settled(remote_ids - {""})
        self._load_session_versions(saved)

    def apply(self, row: OutboxRow, event: AgentEvent | UnknownEvent) -> None:
        """Apply one event; one that changes nothing is kept with the reason."""
        match event:
            case ItemChanged():
                reason = self._item_changed(event, row.at)
            case ActionChanged():
                reason = self._action_changed(event, row)
            case SessionSaved():
                reason = self._session_saved(event)
            case AccountObserved():
                reason = self._account_observed(event, row.at)
            case _:
                reason = "unknown"
        self.refused += reason in (_NOT_ITS_OWN, _NEVER_ITS_OWN)
        if reason:
            place = f"{self.agent_id}/{self.epoch}/{row.seq}"
            body = orjson.dumps(row.body).decode()
            self.unapplied.append(
                self._place(row)
                | {
                    "at": row.at,
                    "reason": reason,
                    "sealed": self.vault.seal("unapplied_event", "sealed", place, body),
                }
            )

    def save(self) -> Touched:
        """Write every changed row; return what changed."""
        ITEMS.write(self.connection, self.items.values())
        ACCOUNTS.write(self.connection, self.accounts.values())
        INTENTS.write(self.connection, self.intents.values())
        upsert(
            self.connection, SESSION, list(self.sessions.values()), keys=["account_id", "driver"]
        )
        holders.note(self.connection, self.agent_id, self.left)
        _KEEP_STEP.run(self.connection, self.steps)
        _KEEP_UNAPPLIED.run(self.connection, self.unapplied)
        use = [{"b_id": sha256, "b_used": count} for sha256, count in self.used_media.items()]
        if use:
            self.connection.execute(_USE_MEDIA, use)
        ended = {move.run_id for move in self.moves if move.after in ITEM_FINAL}
        if ended:
            at = max(item["changed_at"] for item in self.items.values())
            runs.save_ended(self.connection, ended, at)
        return self._touched()

    def _item_changed(self, event: ItemChanged, at: float) -> str:
        item = self.items.get(event.item_id)
        if item is None:
            return "item is gone"
        if item["agent_id"] != self.agent_id:
            return _NOT_ITS_OWN
        before = ItemState(item["state"])
        if not does_item_step_apply(before, item["attempt"], event.state, event.attempt):
            return "stale attempt" if event.attempt < item["attempt"] else "item has ended"
        intent = self._own_intent(item)
        action = ActionState(intent["state"]) if intent else None
        after = state_to_take(event.state, action)
        begins = after is ItemState.RUNNING and item["started_at"] is None
        ends = after in ITEM_FINAL
        is_paused = after is ItemState.PAUSED and item["wanted"] == "paused"
        item.set(
            state=after.value,
            attempt=event.attempt,
            step=event.step,
            error=None if after is ItemState.DONE else error_to_store(event.error),
            result=event.result,
            started_at=at if begins else item["started_at"],
            ended_at=at if ends else None,
            changed_at=at,
            log_end=event.log_end
            if event.attempt > item["attempt"]
            else max(item["log_end"], event.log_end),
            accepted_at=item["accepted_at"] or at,
            wanted=None if ends or is_paused else item["wanted"],
        )
        self.moves.append(ItemMove(event.item_id, item["run_id"], before, after))
        if event.state in ITEM_FINAL and not ends:
            self.left.append(item["id"])
            item.set(accepted_at=None, offered_at=None)  # for the agent it has ended
        elif intent is not None and ends:
            self._settle_end(intent, after, at)
            if event.error is not None and event.error.code == DuplicateIntentError.code:
                intent.set(must_look=True)  # the agent knows of the same post
        if event.log_end:
            self.logs[event.item_id] = LogGrowth(
                event.item_id, item["run_id"], event.attempt, event.log_end
            )
        self._note_outcome(item["account_id"], event)
        return ""

    def _own_intent(self, item: Entity) -> Entity | None:
        """Return the intent of an item, unless it went over to a later one."""
        intent = self.intents.get(item["intent_id"] or "")
        return intent if intent is not None and intent["item_id"] == item["id"] else None

    def _settle_end(self, intent: Entity, ended: ItemState, at: float) -> None:
        """Leave no doubt behind an item that has ended of which nobody would hear again."""
        action = ActionState(intent["state"])
        if action is ActionState.UNRESOLVED:
            self.cards |= cards.resolve(self.connection, intent["id"], _CLOSED, at=at)
        elif does_end_free(ended, action):
            intent.set(state=ActionState.PLANNED.value, must_look=True)

    def _note_outcome(self, account_id: str, event: ItemChanged) -> None:
        account = self.accounts.get(account_id)
        if account is None:
            return
        if event.error and event.state in {ItemState.FAILED, ItemState.NEEDS_OPERATOR}:
            account.set(error=error_to_store(event.error))
        elif event.state is ItemState.DONE and account["error"]:
            account.set(error=None)

    def _action_changed(self, event: ActionChanged, row: OutboxRow) -> str:
        intent = self.intents.get(event.action_id)
        if intent is not None and not self._may_have_had(intent):
            return _NEVER_ITS_OWN
        self.steps.append(_step(self._place(row), event, row.at))
        if intent is None:
            return ""
        before, then = ActionState(intent["state"]), event.state
        if not self._is_heard(event, intent):
            return "" if then is before else _NOT_ITS_OWN
        self._note_sending(intent, event, row.at)
        if not does_intent_step_apply(before, then):
            return "" if then is before else "against the order of states"
        if then is ActionState.CONFIRMED:
            self._confirm(intent, event, row.at)
        else:
            intent.set(state=then.value)
        if then is ActionState.PROVEN_ABSENT and event.by:
            intent.set(must_look=True)  # another agent does not know until when it may still show
        self._mind_card(intent, before, event, row.at)
        self._touch_item(event.item_id)
        return ""

    def _may_have_had(self, intent: Entity) -> bool:
        """Say whether this agent has or had the item of an effect, as far as can be known."""
        item = self.items.get(intent["item_id"])
        has_it = item is not None and item["agent_id"] == self.agent_id
        if has_it or intent["item_id"] in self.had:
            return True
        return holders.is_forgotten(self.connection, intent["item_id"])

    def _is_heard(self, event: ActionChanged, intent: Entity) -> bool:
        """Say whether this agent's word on an effect counts: another one may have it since."""
        item = self.items.get(event.item_id)
        if item is not None and item["intent_id"] != event.action_id:
            item = None
        return is_word_heard(
            event.state,
            is_holder=item is not None and item["agent_id"] == self.agent_id,
            attempt=item["attempt"] if item is not None else None,
            reported_attempt=event.attempt,
            was_history_lost=lambda: holders.is_forgotten(self.connection, intent["item_id"]),
        )

    def _note_sending(self, intent: Entity, event: ActionChanged, at: float) -> None:
        """Keep what is needed where another agent has to settle this one day."""
        item = self.items.get(intent["item_id"])
        is_open = item is not None and ItemState(item["state"]) not in ITEM_FINAL
        if intent["must_look"] and is_open and event.state in IN_DOUBT_STATES:
            intent.set(must_look=False)  # this agent knows of the doubt now
        if event.state is ActionState.SENDING:
            intent.set(sent_at=at)
        if event.baseline is not None:
            intent.set(baseline=event.baseline.model_dump(mode="json"))

    def _confirm(self, intent: Entity, event: ActionChanged, at: float) -> None:
        """A post settles one intent at most: a second one that claims it waits for a person."""
        key = (intent["account_id"], event.remote_id)
        if event.remote_id and key in self.settled:
            intent.set(state=ActionState.UNRESOLVED.value)
            self._open_card(intent, event, at, note=_TAKEN)
            return
        self.settled.add(key)
        intent.set(
            state=ActionState.CONFIRMED.value,
            remote_id=event.remote_id,
            remote_url=event.remote_url,
        )
        self._finish_by_its_post(intent, at)
        account = self.accounts.get(intent["account_id"])
        if account is not None:
            account.set(posts=account["posts"] + 1)
        for sha256 in intent["media"]:
            self.used_media[sha256] = self.used_media.get(sha256, 0) + 1

    def _finish_by_its_post(self, intent: Entity, at: float) -> None:
        item = self.items.get(intent["item_id"])
        if item is None or not is_finished_by_its_post(ItemState(item["state"])):
            return
        before = ItemState(item["state"])
        item.set(
            state=ItemState.DONE.value,
            step="",
            error=None,
            result={"remote_id": intent["remote_id"], "url": intent["remote_url"]},
            ended_at=at,
            changed_at=at,
        )
        self.moves.append(ItemMove(item["id"], item["run_id"], before, ItemState.DONE))

    def _mind_card(
        self, intent: Entity, before: ActionState, event: ActionChanged, at: float
    ) -> None:
        """Open a card for what only a person can settle; resolve it when it is settled."""
        if event.state is ActionState.UNRESOLVED:
            self._open_card(intent, event, at, note=event.note)
        elif before is ActionState.UNRESOLVED and intent["state"] != before.value:
            why = resolution_of(event.state, by=event.by, note=event.note)
            self.cards |= cards.resolve(self.connection, intent["id"], why, at=at)

    def _open_card(self, intent: Entity, event: ActionChanged, at: float, note: str) -> None:
        item = self.items.get(event.item_id)
        if item is None:
            return
        doubt = Doubt(
            action_id=intent["id"],
            account_id=intent["account_id"],
            item_id=event.item_id,
            run_id=item["run_id"],
            note=note,
            sighted=event.sighted,
            looked_at=at,
        )
        self.cards.add(cards.open_card(self.connection, doubt, at=at))

    def _touch_item(self, item_id: str) -> None:
        item = self.items.get(item_id)
        if item is not None:
            state = ItemState(item["state"])
            self.moves.append(ItemMove(item_id, item["run_id"], state, state))

    def _session_saved(self, event: SessionSaved) -> str:
        account = self.accounts.get(event.account_id)
        if account is None:
            return "account is gone"
        if not self._has_account(account):
            return _NOT_ITS_OWN
        key = (event.account_id, event.driver.value)
        if event.version <= self.session_versions.get(key, -1):
            return "older session"
        self.session_versions[key] = event.version
        sealed = self.vault.seal("session", "sealed", session_row(*key), event.session)
        self.sessions[key] = {
            "account_id": event.account_id,
            "driver": event.driver.value,
            "version": event.version,
            "sealed": sealed,
        }
        if event.user_id and not account["user_id"]:
            account.set(user_id=event.user_id)
        return ""

    def _has_account(self, account: Entity) -> bool:
        """Say whether this agent speaks for an account: a former one knows only how it was.

        It does where the account is its own, or where it is at work for it all the same; and an
        account that no agent has is spoken for by whoever worked for it last.
        """
        if account["agent_id"] == self.agent_id:
            return True
        work = ITEM.c.state.in_(runs.OPEN_STATES) if account["agent_id"] else true()
        mine = and_(ITEM.c.account_id == account["id"], ITEM.c.agent_id == self.agent_id)
        found = self.connection.scalar(select(ITEM.c.id).where(mine, work).limit(1))
        return found is not None

    def _account_observed(self, event: AccountObserved, at: float) -> str:
        account = self.accounts.get(event.account_id)
        if account is None:
            return "account is gone"
        if not self._has_account(account):
            return _NOT_ITS_OWN
        account.set(sign_in=event.sign_in.value, sign_in_at=at, error=error_to_store(event.error))
        if event.user_id and not account["user_id"]:
            account.set(user_id=event.user_id)
        if event.sign_in is SignInState.CHALLENGE and account["hold_at"] is None:
            account.set(
                hold_by=HELD_BY_PLATFORM,
                hold_reason=_CHALLENGE_REASON,
                hold_error=error_to_store(event.error),
                hold_at=at,
            )
        if event.sign_in is SignInState.SIGNED_IN and account["hold_by"] == HELD_BY_PLATFORM:
            account.set(hold_by=None, hold_reason=None, hold_error=None, hold_at=None)
        return ""

    def _place(self, row: OutboxRow) -> dict[str, Any]:
        return {"agent_id": self.agent_id, "epoch": self.epoch, "seq": row.seq}

    def _load_settled(self, remote_ids: set[str]) -> None:
        for some in chunks(remote_ids):
            found = self.connection.execute(_SETTLED, {"ids": some})
            self.settled.update((row[0], row[1]) for row in found)

    def _load_session_versions(self, account_ids: set[str]) -> None:
        for some in chunks(account_ids):
            found = self.connection.execute(_VERSIONS, {"ids": some})
            self.session_versions.update({(row[0], row[1]): row[2] for row in found})

    def _touched(self) -> Touched:
        def changed(entities: dict[str, Entity]) -> frozenset[str]:
            return frozenset(id_ for id_, entity in entities.items() if entity.is_changed)

        return Touched(
            accounts=changed(self.accounts),
            intents=changed(self.intents),
            media=frozenset(self.used_media),
            cards=frozenset(self.cards),
            logs=tuple(self.logs.values()),
        ) | Touched.moved(self.moves)


def _step(place: Mapping[str, Any], event: ActionChanged, at: float) -> dict[str, Any]:
    return {
        **place,
        "action_id": event.action_id,
        "item_id": event.item_id,
        "attempt": event.attempt,
        "account_id": event.account_id,
        "operation": event.operation,
        "state": event.state.value,
        "driver": event.driver.value,
        "resume": event.resume,
        "remote_id": event.remote_id,
        "remote_url": event.remote_url,
        "note": event.note,
        "at": at,
        "baseline": event.baseline.model_dump(mode="json") if event.baseline else None,
        "sighted": [post.model_dump(mode="json") for post in event.sighted] or None,
        "by": event.by,
    }
