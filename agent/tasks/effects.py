"""External effects at the agent: each comes about once, however its requests end.

One machine for every kind of effect: it journals each step before the step is taken, sends, and
where nobody can say what became of the request it looks before it does anything else. What is sent
and how it is looked for is the task's part (`Effect`), which errors prove something is told by
`verdicts`, and when to look by `search` and `common.reconcile`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from agent.tasks.context import TaskContext
from agent.tasks.search import Search
from agent.tasks.verdicts import ends_looking, settled_by
from common.domain.content import Baseline, ListedPost, NamedPost
from common.domain.states import ActionState
from common.domain.transitions import IN_DOUBT_STATES
from common.errors import (
    AmbiguousEffectError,
    ConflictError,
    FlotillaError,
    PlatformUnreachableError,
)
from common.operations import Settlement, Whose
from common.protocol.events import SIGHTED_LIMIT
from common.reconcile import Match, Next, not_checked

ATTEMPTS = 3
"""How often one run of an item sends an effect that is proven absent each time."""
_CAPTION_KEPT = 300
"""Characters of a sighted post's caption that go into the journal."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An effect that exists."""

    remote_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Ready:
    """All that comes before the deciding request is done."""

    resume: dict[str, str]
    """What a later attempt needs to go on from here."""
    baseline: Baseline | None
    """What the account's list showed before; None where the driver cannot list."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something that looks like the effect, although the journal knows of no sending."""

    seen: Sequence[ListedPost]
    """At least one, the newest first."""
    since: Baseline
    """What they are newer than."""
    has_own_mark: bool
    """True where another look may confirm it by its mark; otherwise a person says."""


class Effect(Protocol):
    """One external effect, as the machine needs it."""

    @property
    def settlement(self) -> Settlement:
        """How a doubt about it is settled."""
        ...

    async def find_earlier(self) -> Earlier | None:
        """Look whether it is there before it is sent: the journal may have been taken back."""
        ...

    async def prepare(self) -> Ready:
        """Do all that nobody sees yet; may be repeated."""
        ...

    async def send(self) -> Outcome:
        """Send the one deciding request; raises errors as `verdicts` reads them."""
        ...

    async def look(self) -> Match:
        """Look for it once; raises where the platform's answer is not whole."""
        ...

    async def whose(self, remote_id: str) -> Whose:
        """Ask whose a post is that a person says is the effect; raises where nobody can say."""
        ...


async def perform(context: TaskContext, effect: Effect) -> Outcome:
    """Bring the effect about, or find it there; returns once it provably exists.

    Raises AmbiguousEffectError where a person has to say whether it exists,
    OperationCancelledError where it was stopped in time, and what `effect` raises where it provably
    does not exist.
    """
    action = context.action
    attempts = 0
    while action.state is not ActionState.CONFIRMED:
        if action.state in IN_DOUBT_STATES:
            await _settle(context, effect)
        elif attempts < ATTEMPTS:
            attempts += 1
            await _attempt(context, effect)
        else:
            username = context.account.username
            raise PlatformUnreachableError(
                f"The platform took nothing from {username}: sent {ATTEMPTS} times, and proven "
                "absent each time.",
                advice="Retry the item later.",
                subject=username,
            )
    return Outcome(action.remote_id, action.remote_url)


async def _attempt(context: TaskContext, effect: Effect) -> None:
    """Send the effect, unless it is there already. Leaves it confirmed, in doubt, or raises."""
    action = context.action
    context.check_cancel()
    earlier = await effect.find_earlier()
    if earlier:
        await _doubt(context, earlier)
        return
    if action.state is ActionState.PROVEN_ABSENT:
        await action.step(ActionState.PLANNED, note="the earlier attempt is proven absent")
    ready = await effect.prepare()
    context.check_cancel()
    await action.step(ActionState.SENDING, resume=ready.resume, baseline=ready.baseline)
    try:
        made = await effect.send()
    except FlotillaError as error:
        await _note_end(context, error, error.message)
    except Exception as error:  # noqa: BLE001  # what nobody foresaw proves nothing
        await _note_end(context, None, f"the driver failed with {type(error).__name__}")
    else:
        await _confirm(context, made, "the platform confirmed it")


async def _note_end(context: TaskContext, error: FlotillaError | None, why: str) -> None:
    """Journal what a failed sending proves; raises `error` unless it leaves a doubt."""
    state, note = settled_by(error)
    await context.action.step(state, note=note or why)
    if error and state is not ActionState.IN_DOUBT:
        raise error
    context.log("warning", why)


async def _doubt(context: TaskContext, earlier: Earlier) -> None:
    """Hold back an effect that seems to be there although it was never sent from here."""
    seen = earlier.seen
    note = "not sent: one like it is there, and newer than the item"
    await context.action.step(
        ActionState.IN_DOUBT, baseline=earlier.since, sighted=_kept(seen), note=note
    )
    context.log("warning", f"Not sent: {seen[0].url} is like it, and newer than the item.")
    if not earlier.has_own_mark:
        why = f"{note}; it has no caption by which it could be told from others"
        await _ask_person(context, why, seen)


async def _settle(context: TaskContext, effect: Effect) -> None:
    """Find out whether the effect exists. Leaves it confirmed or proven absent.

    An operator's stop waits for the verdict. Raises AmbiguousEffectError where only a person can
    give one.
    """
    action = context.action
    if action.state is ActionState.UNRESOLVED:
        raise _needs_person(context)
    if action.named is not None:
        await _check_named(context, effect, action.named)
        return
    if action.state is not ActionState.IN_DOUBT:
        await action.step(ActionState.IN_DOUBT, note="the last attempt ended without a verdict")
    if effect.settlement is not Settlement.PROBE:
        await _ask_person(context, "this driver has no way to look for it", ())
    await action.step(ActionState.RECONCILING)
    context.progress("Looking whether it is there")
    search = Search(context, effect.look)
    verdict = await search.run()
    if verdict is Next.ABSENT:
        note = f"two looks found nothing, the second {search.seconds:.0f} s after the doubt"
        await action.step(ActionState.PROVEN_ABSENT, note=note)
    elif verdict is Next.CONFIRM and search.match.found:
        found = search.match.found
        note = f"found by its marks and time, {search.seconds:.0f} s after the doubt"
        await _confirm(context, Outcome(found.remote_id, found.url), note, [found])
    else:
        await _ask_person(context, search.why_nobody_knows(), search.match.candidates)


async def _check_named(context: TaskContext, effect: Effect, named: NamedPost) -> None:
    """Ask the platform whose the post is that a person named; where it cannot say, believe them."""
    context.progress("Checking the post that was named")
    made = Outcome(named.remote_id, named.url)
    try:
        whose = await _ask_whose(effect, named.remote_id)
    except FlotillaError as error:
        context.log("warning", f"{named.shown} could not be checked: {error.message}")
        await _confirm(context, made, not_checked(error.message))
        return
    if whose is Whose.OWN:
        await _confirm(context, made, "the platform shows it on this account")
        return
    what = "belongs to another account" if whose is Whose.OTHER else "is not on the platform"
    why = f"{named.by or 'the operator'} named {named.shown}, which {what}"
    await _ask_person(context, why, await _now_shown(context, effect))


async def _ask_whose(effect: Effect, remote_id: str) -> Whose:
    try:
        return await effect.whose(remote_id)
    except FlotillaError as error:
        if ends_looking(error):
            raise
    return await effect.whose(remote_id)


async def _now_shown(context: TaskContext, effect: Effect) -> Sequence[ListedPost]:
    """Return the posts that may be it, for the person who has to name another one."""
    try:
        match = await effect.look()
    except FlotillaError as error:
        context.log("warning", f"The account's posts could not be listed: {error.message}")
        return ()
    return [match.found] if match.found else match.candidates


async def _confirm(
    context: TaskContext, made: Outcome, note: str, sighted: Iterable[ListedPost] = ()
) -> None:
    try:
        await context.action.step(
            ActionState.CONFIRMED,
            remote_id=made.remote_id,
            remote_url=made.url,
            note=note,
            sighted=_kept(sighted),
        )
    except ConflictError as clash:  # what was made, or found, settles another effect already
        await _ask_person(context, clash.message, sighted)


async def _ask_person(context: TaskContext, why: str, sighted: Iterable[ListedPost]) -> NoReturn:
    await context.action.step(ActionState.UNRESOLVED, note=why, sighted=_kept(sighted))
    raise _needs_person(context, f": {why}")


def _needs_person(context: TaskContext, why: str = "") -> AmbiguousEffectError:
    username = context.account.username
    return AmbiguousEffectError(
        f"A person has to say whether {username} shows it already{why}.", subject=username
    )


def _kept(posts: Iterable[ListedPost]) -> list[ListedPost]:
    """Return posts as they go into the journal: a few, with their captions cut."""
    return [
        post.model_copy(update={"caption": post.caption and post.caption[:_CAPTION_KEPT]})
        for post in list(posts)[:SIGHTED_LIMIT]
    ]
