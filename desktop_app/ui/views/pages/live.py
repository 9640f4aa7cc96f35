"""The live page: a wall of the screens of browser accounts that work at this moment."""

from __future__ import annotations

from PySide6.QtCore import QRect, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QWidget

from desktop_app.contract.runs import ItemRow
from desktop_app.ui.presenters.live import LivePresenter
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.widgets.controls import separator
from desktop_app.ui.views.widgets.empty_state import Empty, EmptyState
from desktop_app.ui.views.widgets.frame_decoder import FrameDecoder
from desktop_app.ui.views.widgets.page import Page
from desktop_app.ui.views.widgets.screen_tile import ScreenTile

_LINGER_MILLISECONDS = 2500
"""A tile whose item has ended stays a little: accounts change faster than an eye reads."""
_EDGE = 16
_GAP = 12
_LEAST_WIDTH = 300
_RATIO = 0.625
_HEAD = 36


class LivePage(Page):
    """All screens that are live."""

    run_wanted = Signal(str)
    compose_wanted = Signal()

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context.theme, "Live")
        self._context = context
        self.presenter = LivePresenter(context.presenters)
        self.wall = _Wall(context.theme, context.decoder)
        self.wall.tile_clicked.connect(self._open)
        self.empty = EmptyState(context.theme)
        self.empty.show_empty(
            Empty(
                "monitor",
                "No browser is working now",
                "While accounts are worked on in a browser, their screens are here, live. Accounts "
                "on the private API have no screen.",
                "Compose",
                self.compose_wanted.emit,
                "pen-line",
            )
        )
        scroll = QScrollArea()
        scroll.setWidget(self.wall)
        scroll.setWidgetResizable(True)
        self.stack = QStackedWidget()
        self.stack.addWidget(scroll)
        self.stack.addWidget(self.empty)
        self.body.addWidget(separator())
        self.body.addWidget(self.stack, 1)
        self._linger = QTimer(self)
        self._linger.setSingleShot(True)
        self._linger.setInterval(_LINGER_MILLISECONDS)
        self._linger.timeout.connect(self._settle)
        self.presenter.tiles_changed.connect(self._refresh)
        context.presenters.screens.framed.connect(self.wall.take_frame)
        self._settle()

    def shown(self) -> None:
        """Follow the screens."""
        super().shown()
        self.presenter.look(True)

    def hidden(self) -> None:
        """Stop following them."""
        self.presenter.look(False)

    def _refresh(self) -> None:
        if self.wall.add_items(self.presenter.tiles()):
            self._linger.start()
        self._show()

    def _settle(self) -> None:
        self.wall.keep_only(self.presenter.tiles())
        self._show()

    def _show(self) -> None:
        count = self.wall.count
        self.count.setText(f"{count:,}" if count else "")
        self.stack.setCurrentIndex(0 if count else 1)

    def _open(self, account_id: str) -> None:
        for item in self.presenter.tiles():
            if item.account_id == account_id:
                self.run_wanted.emit(item.run_id)


class _Wall(QWidget):
    """Tiles in as many columns as fit."""

    tile_clicked = Signal(str)

    def __init__(self, theme: Theme, decoder: FrameDecoder) -> None:
        super().__init__()
        self._theme = theme
        self._decoder = decoder
        self._tiles: dict[str, ScreenTile] = {}

    @property
    def count(self) -> int:
        """How many tiles hang here."""
        return len(self._tiles)

    def add_items(self, items: list[ItemRow]) -> bool:
        """Show these items; returns whether tiles of others are still there."""
        for item in items:
            if item.account_id not in self._tiles:
                self._add(item.account_id)
            self._tiles[item.account_id].show_account(
                item.account_id, item.username, item.step or item.title
            )
        self._place()
        return bool(self._tiles.keys() - {item.account_id for item in items})

    def keep_only(self, items: list[ItemRow]) -> None:
        """Take down the tiles of all others."""
        wanted = {item.account_id for item in items}
        for account_id in self._tiles.keys() - wanted:
            tile = self._tiles.pop(account_id)
            tile.hide()
            tile.deleteLater()
        self._place()

    def take_frame(self, account_id: str, jpeg: bytes) -> None:
        """Give a frame to its tile."""
        tile = self._tiles.get(account_id)
        if tile is not None:
            tile.take_frame(account_id, jpeg)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Flow anew."""
        super().resizeEvent(event)
        self._place()

    def _add(self, account_id: str) -> None:
        tile = ScreenTile(self._theme, self._decoder)
        tile.setParent(self)
        tile.clicked.connect(self.tile_clicked)
        tile.show()
        self._tiles[account_id] = tile

    def _place(self) -> None:
        room = max(self.width() - 2 * _EDGE, _LEAST_WIDTH)
        columns = max(1, (room + _GAP) // (_LEAST_WIDTH + _GAP))
        width = (room - (columns - 1) * _GAP) // columns
        height = int(width * _RATIO) + _HEAD
        for at, tile in enumerate(self._tiles.values()):
            line, column = divmod(at, columns)
            left = _EDGE + column * (width + _GAP)
            top = _EDGE + line * (height + _GAP)
            tile.setGeometry(QRect(left, top, width, height))
        lines = -(-len(self._tiles) // columns)
        self.setMinimumHeight(lines * (height + _GAP) + 2 * _EDGE - _GAP)
