"""The composer: a draft of a batch, judged as a whole while it is written, and started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from common.domain.accounts import DriverName
from common.errors import FlotillaError
from common.tasks.bulk_login import BulkLoginParameters
from common.tasks.bulk_upload import BulkUploadParameters, Distribution, PostDraft, TableRow
from desktop_app.contract.runs import Preflight, RunTask, Targets
from desktop_app.ui.models.formats import count_of
from desktop_app.ui.presenters.context import PresenterContext
from desktop_app.ui.presenters.notices import Notice

UPLOAD = "bulk_upload"
LOGIN = "bulk_login"
_JUDGE_MILLISECONDS = 300


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that the composer's form holds."""

    task: str = UPLOAD
    name: str = ""
    tags: frozenset[str] = frozenset()
    account_ids: tuple[str, ...] = ()
    everyone: bool = False
    """All accounts, whatever their tags."""
    posts: tuple[tuple[str, ...], ...] = ()
    """The files of each post, by SHA-256."""
    distribution: Distribution = Distribution.SPLIT
    table: str = ""
    """Lines `username, post` for the distribution by table."""
    caption: str = ""
    captions: dict[str, str] = field(default_factory=dict)
    """Captions of single accounts."""
    hashtags: str = ""
    driver: DriverName | None = None
    repeat: int = 0
    """How many further copies of the same media were wanted before: 0 posts each media once."""
    force: bool = False
    """Bulk login: sign in anew where the saved session still works."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of the draft as it stands."""

    preflight: Preflight | None = None
    problem: FlotillaError | None = None
    """Why it could not be judged."""
    missing: str = ""
    """What the draft still lacks, as the next step to take."""


def hashtags_of(text: str) -> list[str]:
    """Return the hashtags in a field, without the leading sign."""
    return [word.strip("#,; ") for word in text.replace(",", " ").split() if word.strip("#,; ")]


def table_of(text: str) -> list[TableRow]:
    """Return the rows of a distribution table; lines that are not `username, post` are left out."""
    rows = []
    for line in text.splitlines():
        username, _, number = line.replace("\t", ",").rpartition(",")
        if username.strip() and number.strip().isdigit() and int(number) > 0:
            rows.append(TableRow(username=username.strip(), post=int(number)))
    return rows


def unreadable_lines(text: str) -> list[int]:
    """Return the numbers of the table's lines that are not `username, post`."""
    return [
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not table_of(line)
    ]


class ComposePresenter(QObject):
    """The draft, its judgement, and its start."""

    draft_changed = Signal()
    judging = Signal()
    judged = Signal()
    started = Signal(str)
    """The id of the run that was started."""

    def __init__(self, context: PresenterContext) -> None:
        super().__init__()
        self._context = context
        self.fleet = context.fleet
        self.thumbnails = context.thumbnails
        self.draft = Draft()
        self.judgement = Judgement(missing=_missing(self.draft))
        self.is_starting = False
        self._generation = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_JUDGE_MILLISECONDS)
        self._soon.timeout.connect(self._judge)

    def change(self, **fields: Any) -> None:
        """Change fields of the draft; it is judged again soon after."""
        changed = replace(self.draft, **fields)
        if changed == self.draft:
            return
        self.draft = changed
        self.draft_changed.emit()
        self.judge_soon()

    def judge_soon(self) -> None:
        """Judge the draft after a moment, since it or the fleet changed."""
        self._generation += 1
        missing = _missing(self.draft)
        if missing:
            self._soon.stop()
            self._settle(Judgement(missing=missing))
            return
        self.judging.emit()
        self._soon.start()

    def add_posts(self, sha256s: Sequence[str]) -> None:
        """Add each file as a post of its own."""
        self.change(posts=self.draft.posts + tuple((sha256,) for sha256 in sha256s))

    def group(self, lines: Sequence[int]) -> None:
        """Make one carousel of these posts, where the first of them stands."""
        chosen = sorted(lines)
        if len(chosen) < 2:
            return
        files = tuple(sha256 for line in chosen for sha256 in self.draft.posts[line])
        posts = [post for line, post in enumerate(self.draft.posts) if line not in chosen]
        posts.insert(chosen[0], files)
        self.change(posts=tuple(posts))

    def ungroup(self, line: int) -> None:
        """Make a post of each file of a carousel."""
        posts = list(self.draft.posts)
        posts[line : line + 1] = [(sha256,) for sha256 in posts[line]]
        self.change(posts=tuple(posts))

    def remove_posts(self, lines: Sequence[int]) -> None:
        """Take posts out of the draft."""
        gone = set(lines)
        self.change(
            posts=tuple(post for line, post in enumerate(self.draft.posts) if line not in gone)
        )

    def move_post(self, line: int, by: int) -> int:
        """Move a post up or down; returns where it is then."""
        posts = list(self.draft.posts)
        target = max(0, min(len(posts) - 1, line + by))
        posts.insert(target, posts.pop(line))
        self.change(posts=tuple(posts))
        return target

    def target_accounts(self) -> int:
        """Return how many accounts the draft is for."""
        rows = self.fleet.accounts.table.rows()
        if self.draft.everyone:
            return self.fleet.accounts.table.total
        chosen = set(self.draft.account_ids)
        tags = self.draft.tags
        return sum(row.id in chosen or not tags.isdisjoint(row.tags) for row in rows)

    def start(self) -> None:
        """Start the run, as judged."""
        if not self.is_starting and self.judgement.preflight and self.judgement.preflight.may_start:
            self.is_starting = True
            self.judging.emit()
            self._context.tasks.spawn(self, self._start(), "start a run")

    def command(self, *, dry_run: bool) -> RunTask:
        """Return the draft as the command that runs it."""
        draft = self.draft
        ids = list(draft.account_ids)
        if draft.everyone:
            ids = [row.id for row in self.fleet.accounts.table.rows()]
        return RunTask(
            task=draft.task,
            parameters=_parameters(draft),
            targets=Targets(account_ids=ids, tags=sorted(draft.tags)),
            name=draft.name.strip(),
            dry_run=dry_run,
        )

    def _judge(self) -> None:
        self._context.tasks.spawn(self, self._ask(self._generation), "preflight")

    async def _ask(self, generation: int) -> None:
        try:
            answer = await self._context.core.run_task(self.command(dry_run=True))
            judgement = Judgement(preflight=answer.preflight)
        except FlotillaError as problem:
            judgement = Judgement(problem=problem)
        if generation == self._generation:
            self._settle(judgement)

    async def _start(self) -> None:
        try:
            answer = await self._context.core.run_task(self.command(dry_run=False))
        finally:
            self.is_starting = False
            self.judged.emit()
        if answer.run_id is None:
            self._settle(Judgement(preflight=answer.preflight))
            return
        items = count_of(len(answer.preflight.items), "item")
        self._context.notices.say(Notice("success", f"Started a run of {items}."))
        self.change(posts=(), account_ids=(), captions={}, table="", name="", repeat=0)
        self.started.emit(answer.run_id)

    def _settle(self, judgement: Judgement) -> None:
        self.judgement = judgement
        self.judged.emit()


def _parameters(draft: Draft) -> dict[str, Any]:
    if draft.task == LOGIN:
        return BulkLoginParameters(force=draft.force).model_dump(mode="json")
    return BulkUploadParameters(
        posts=[PostDraft(media=list(post)) for post in draft.posts],
        distribution=draft.distribution,
        table=table_of(draft.table) if draft.distribution is Distribution.TABLE else [],
        caption=draft.caption,
        captions={name: text for name, text in draft.captions.items() if name.strip()},
        hashtags=hashtags_of(draft.hashtags),
        driver=draft.driver,
        repeat=draft.repeat,
    ).model_dump(mode="json")


def _missing(draft: Draft) -> str:
    if not (draft.everyone or draft.tags or draft.account_ids):
        return "Choose the accounts first."
    if draft.task == UPLOAD and not draft.posts:
        return "Add at least one post from the library."
    if (
        draft.distribution is Distribution.TABLE
        and draft.task == UPLOAD
        and not table_of(draft.table)
    ):
        return "Fill in the table: one line per account and post."
    return ""
