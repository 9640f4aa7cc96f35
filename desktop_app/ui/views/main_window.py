"""The main window: rail, pages, practice banner, status bar, notices and the palette.

Pages are built when they are first looked at, so that the first one is there as early as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from common.domain.states import RunState
from common.errors import FlotillaError
from desktop_app.contract.cards import CardRow
from desktop_app.ui.commands.registry import Command
from desktop_app.ui.presenters.notices import Notice
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.dialogs.command_palette import CommandPalette, Entry
from desktop_app.ui.views.widgets.controls import label, row
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.page import Page
from desktop_app.ui.views.widgets.rail import Place, Rail
from desktop_app.ui.views.widgets.status_bar import StatusBar
from desktop_app.ui.views.widgets.toasts import Toasts

if TYPE_CHECKING:
    from desktop_app.ui.presenters.compose import ComposePresenter
    from desktop_app.ui.views.pages.accounts import AccountsPage
    from desktop_app.ui.views.pages.compose import ComposePage
    from desktop_app.ui.views.pages.needs_you import NeedsYouPage
    from desktop_app.ui.views.pages.runs import RunsPage

PLACES = (
    Place("needs", "Needs you", "inbox", is_urgent=True),
    Place("accounts", "Accounts", "users"),
    Place("agents", "Agents", "server"),
    Place("media", "Media", "images"),
    Place("compose", "Compose", "pen-line"),
    Place("runs", "Runs", "list-checks"),
    Place("live", "Live", "monitor"),
)
START = "accounts"
"""The place that is shown first."""
SMALLEST = QSize(1080, 680)
USUAL = QSize(1280, 800)
_FEW_LETTERS = 2
_MOST_ACCOUNTS = 8
_ACTIVE = (RunState.STARTING, RunState.RUNNING, RunState.PAUSED)


class MainWindow(QMainWindow):
    """The one window. Closing it asks `shutdown`; it closes when told to."""

    close_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._may_close = False
        self.setWindowTitle("Flotilla")
        self.setMinimumSize(SMALLEST)
        self.resize(USUAL)
        self._start = EmptyState(theme)
        self.setCentralWidget(self._start)
        self._view: MainView | None = None

    @property
    def view(self) -> MainView:
        """What the window shows once it is connected; raises RuntimeError before."""
        if self._view is None:
            raise RuntimeError("the window is not connected yet")
        return self._view

    def show_starting(self) -> None:
        """Say that the core is being found or started."""
        self._start.show_empty(Empty("loader", "Starting Flotilla…"))

    def show_start_problem(self, problem: FlotillaError, retry: Callable[[], object]) -> None:
        """Say why there is no core, and offer to try again."""
        text = f"{problem.message} {problem.advice}".strip()
        self._start.show_empty(
            Empty("wifi-off", "Flotilla could not start", text, "Try again", retry, "refresh-cw")
        )

    def attach(self, context: ViewContext) -> MainView:
        """Show the fleet."""
        self._view = MainView(context)
        self.setCentralWidget(self._view)
        return self._view

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask the one close path; it comes back with `close_now`."""
        if self._may_close:
            event.accept()
            return
        event.ignore()
        self.close_wanted.emit()

    def close_now(self) -> None:
        """Close without asking."""
        self._may_close = True
        self.close()

    def geometry_text(self) -> str:
        """Return size and place, to keep."""
        return bytes(self.saveGeometry().toBase64().data()).decode("ascii")

    def restore_geometry_text(self, text: str) -> None:
        """Take size and place that were kept; text that is not one changes nothing."""
        self.restoreGeometry(QByteArray.fromBase64(text.encode("ascii", "ignore")))


class MainView(QWidget):
    """Everything inside the window."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__()
        self._context = context
        self._pages: dict[str, Page] = {}
        self._current = ""
        theme = context.theme
        self.rail = Rail(theme, PLACES)
        self.stack = QStackedWidget()
        self.banner = _practice_banner(theme)
        self.status = StatusBar(theme, context.fleet, self.go)
        self._lay_out()
        self.toasts = Toasts(theme, self)
        context.presenters.notices.posted.connect(self.toasts.show_notice)
        self.rail.chosen.connect(self.show_page)
        self.rail.palette_wanted.connect(self.open_palette)
        context.fleet.overview_changed.connect(self._refresh)
        context.fleet.core_closing.connect(self._core_closes)
        context.commands.add(*self._commands())
        self._bind_shortcuts()
        context.fleet.cards_opened.connect(self._cards_opened)
        self.show_page(START)
        self._refresh()

    @property
    def current(self) -> str:
        """The place that is shown."""
        return self._current

    def page(self, key: str) -> Page:
        """Return a page, built if it was not yet."""
        if key not in self._pages:
            known = set(self._context.commands.ids())
            page = self._make(key)
            self._pages[key] = page
            self.stack.addWidget(page)
            self._bind_shortcuts(known)
        return self._pages[key]

    def show_page(self, key: str) -> Page:
        """Go to a place."""
        page = self.page(key)
        if key != self._current:
            if self._current:
                self._pages[self._current].hidden()
            self._current = key
            self.stack.setCurrentWidget(page)
            self.rail.select(key)
            page.shown()
        return page

    def go(self, key: str, what: str) -> None:
        """Go to a place and show something there."""
        page = self.show_page(key)
        if key == "accounts" and what:
            cast("AccountsPage", page).show_state(what)
        if key == "runs" and what:
            cast("RunsPage", page).show_run(what)
        if key == "needs" and what:
            cast("NeedsYouPage", page).show_card(what)

    def open_palette(self) -> None:
        """Open the command palette."""
        palette = CommandPalette(self._context.theme, self, self._entries)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        palette.place_over(self)
        palette.show()
        palette.line.setFocus()

    def _make(self, key: str) -> Page:
        """Build a page. Its module is imported here, and not before the first rows are seen."""
        context = self._context
        if key == "needs":
            from desktop_app.ui.views.pages.needs_you import NeedsYouPage

            needs = NeedsYouPage(context)
            needs.account_wanted.connect(self._to_account)
            needs.item_wanted.connect(self._to_item)
            return needs
        if key == "accounts":
            from desktop_app.ui.views.pages.accounts import AccountsPage

            accounts = AccountsPage(context)
            accounts.item_wanted.connect(self._to_item)
            accounts.card_wanted.connect(lambda card_id: self.go("needs", card_id))
            accounts.run_wanted.connect(lambda run_id: self.go("runs", run_id))
            accounts.compose_wanted.connect(self._compose_for)
            return accounts
        if key == "compose":
            from desktop_app.ui.views.pages.compose import ComposePage

            compose = ComposePage(context)
            compose.run_wanted.connect(lambda run_id: self.go("runs", run_id))
            compose.media_wanted.connect(lambda: self.show_page("media"))
            compose.accounts_wanted.connect(self._import_accounts)
            return compose
        if key == "media":
            from desktop_app.ui.views.pages.media import MediaPage

            media = MediaPage(context)
            media.compose_wanted.connect(self._compose_with)
            return media
        if key == "live":
            from desktop_app.ui.views.pages.live import LivePage

            live = LivePage(context)
            live.run_wanted.connect(lambda run_id: self.go("runs", run_id))
            live.compose_wanted.connect(lambda: self.show_page("compose"))
            return live
        if key == "runs":
            from desktop_app.ui.views.pages.runs import RunsPage

            runs = RunsPage(context)
            runs.compose_wanted.connect(lambda: self.show_page("compose"))
            runs.card_wanted.connect(self._to_card_of)
            return runs
        from desktop_app.ui.views.pages.agents import AgentsPage

        agents = AgentsPage(context)
        agents.move_wanted.connect(self._move_accounts_of)
        return agents

    def _import_accounts(self) -> None:
        self.show_page("accounts")
        self._context.commands.get("accounts.import").run()

    def _to_item(self, run_id: str, item_id: str) -> None:
        cast("RunsPage", self.show_page("runs")).show_item(run_id, item_id)

    def _to_card_of(self, item_id: str) -> None:
        """Show the open card of an item; the page alone where it is not here yet."""
        cards = self._context.fleet.cards.table.rows()
        card = next((each for each in cards if each.item_id == item_id), None)
        self.go("needs", card.id if card else "")

    def _cards_opened(self, cards: list[CardRow]) -> None:
        """Say that something needs the operator, unless they look at the list of it anyway."""
        if self._current == "needs":
            return
        first = cards[0]
        one = len(cards) == 1
        text = first.title if one else f"{len(cards):,} new cards need you."
        advice = first.text if one else first.title
        notice = Notice(
            "warning", text, advice, act="Show both sides" if one else "Show them",
            run=lambda: self.go("needs", first.id),
        )  # fmt: skip
        self._context.presenters.notices.say(notice)

    def _move_accounts_of(self, agent_id: str) -> None:
        cast("AccountsPage", self.show_page("accounts")).move_all_of(agent_id)

    def _compose_for(self, account_ids: list[str]) -> None:
        compose = self._composer()
        compose.change(account_ids=tuple(account_ids), tags=frozenset(), everyone=False)

    def _compose_with(self, sha256s: list[str]) -> None:
        compose = self._composer()
        compose.change(task="bulk_upload")
        compose.add_posts(sha256s)

    def _composer(self) -> ComposePresenter:
        return cast("ComposePage", self.show_page("compose")).presenter

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.banner)
        right.addWidget(self.stack, 1)
        upper = row(self.rail, right, spacing=0)
        upper.setStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(upper, 1)
        layout.addWidget(self.status)

    def _refresh(self) -> None:
        overview = self._context.fleet.overview
        self.banner.setVisible(overview.practice)
        self.rail.show_store(overview.store_name)
        self.rail.show_count("needs", overview.cards)
        self.rail.show_count("accounts", overview.accounts)
        self.rail.show_count("agents", overview.agents)
        self.rail.show_count("media", overview.media)
        active = sum(overview.runs.get(state, 0) for state in _ACTIVE)
        self.rail.show_count("runs", active)

    def _core_closes(self, reason: str) -> None:
        text = f"The core is ending: {reason}"
        self._context.presenters.notices.say(Notice("warning", text))

    def _commands(self) -> Iterable[Command]:
        for number, place in enumerate(PLACES, start=1):
            yield Command(
                id=f"go.{place.key}",
                title=f"Go to {place.title}",
                section="Window",
                icon=place.icon,
                shortcut=f"Ctrl+{number}",
                run=partial(self._show, place.key),
            )
        yield Command(
            id="window.palette", title="All commands", section="Window", icon="command",
            shortcut="Ctrl+K", run=self.open_palette,
        )  # fmt: skip
        yield Command(
            id="window.search", title="Search on this page", section="Window", icon="search",
            shortcut="Ctrl+F", run=lambda: self._pages[self._current].focus_search(),
        )  # fmt: skip
        yield Command(
            id="window.theme", title="Switch between dark and light", section="Window", icon="sun",
            shortcut="Ctrl+Shift+L", run=self._context.theme.toggle, words="theme",
        )  # fmt: skip

    def _show(self, key: str) -> None:
        self.show_page(key)

    def _bind_shortcuts(self, known: set[str] | None = None) -> None:
        for command in self._context.commands:
            if command.shortcut and command.id not in (known or set()):
                shortcut = QShortcut(QKeySequence(command.shortcut), self)
                shortcut.activated.connect(lambda act=command: _run(act))

    def _entries(self, typed: str) -> Iterable[Entry]:
        for command in self._context.commands.enabled():
            yield Entry(
                command.title, command.section, command.run, command.icon,
                QKeySequence(command.shortcut).toString(QKeySequence.SequenceFormat.NativeText),
                command.words,
            )  # fmt: skip
        if len(typed.strip()) >= _FEW_LETTERS:
            yield from self._account_entries(typed.strip().lower())

    def _account_entries(self, typed: str) -> Iterable[Entry]:
        found = 0
        for account in self._context.fleet.accounts.table.rows():
            if typed in account.username.lower():
                found += 1
                yield Entry(
                    account.username,
                    "Account",
                    partial(self._to_account, account.id),
                    "user",
                )
            if found == _MOST_ACCOUNTS:
                return

    def _to_account(self, account_id: str) -> None:
        cast("AccountsPage", self.show_page("accounts")).show_account(account_id)


def _run(command: Command) -> None:
    if command.is_enabled():
        command.run()


def _practice_banner(theme: Theme) -> QFrame:
    banner = QFrame()
    banner.setObjectName("practiceBanner")
    icon = QLabel()

    def dress() -> None:
        icon.setPixmap(theme.pixmap("info", "info", 14, icon.devicePixelRatioF()))

    dress()
    theme.changed.connect(dress)
    text = "Practice: every account here lives on the practice platform. Nothing reaches Instagram."
    line = row(icon, label(text), 1)
    line.setContentsMargins(20, 0, 16, 0)
    banner.setLayout(line)
    banner.setAccessibleName(text)
    banner.hide()
    return banner
