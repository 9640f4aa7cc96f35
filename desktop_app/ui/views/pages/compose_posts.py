"""The posts of the draft: chosen from the library, ordered, grouped; and who gets which."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QListView,
    QPlainTextEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from common.domain.content import MediaKind
from common.tasks.bulk_upload import Distribution
from desktop_app.contract.media import MediaRow
from desktop_app.ui.aio import ask
from desktop_app.ui.models.formats import count_of, duration
from desktop_app.ui.presenters.compose import ComposePresenter, unreadable_lines
from desktop_app.ui.theme.theme import Theme
from desktop_app.ui.views.context import ViewContext
from desktop_app.ui.views.delegates.media_card import draw_cover
from desktop_app.ui.views.dialogs.pick_media import PickMediaDialog
from desktop_app.ui.views.widgets.controls import button, icon_button, label, row

_LINE = 52
_MOST_LINES = 6
_PICTURE = 40
_DISTRIBUTIONS = (
    (Distribution.SPLIT, "Split: each post goes to one account, in turn"),
    (Distribution.SAME_TO_ALL, "Same to all: every account publishes every post"),
    (Distribution.TABLE, "By table: one line per account and post"),
)


class _Posts(QAbstractListModel):
    """The posts of the draft as lines."""

    def __init__(self, presenter: ComposePresenter) -> None:
        super().__init__()
        self._presenter = presenter
        self._posts: tuple[tuple[str, ...], ...] = ()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return how many posts there are."""
        return 0 if parent.isValid() else len(self._posts)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return a post's words; under the user role its media."""
        if not index.isValid():
            return None
        media = self.media(index.row())
        if role == Qt.ItemDataRole.UserRole:
            return media
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"Post {index.row() + 1}: {post_title(media)}, {post_facts(media)}"
        return None

    def media(self, line: int) -> list[MediaRow]:
        """Return the files of a post that the library still has."""
        table = self._presenter.fleet.media.table
        return [row for key in self._posts[line] if (row := table.row(key)) is not None]

    def take(self, posts: tuple[tuple[str, ...], ...]) -> None:
        """Show other posts."""
        if posts != self._posts:
            self.beginResetModel()
            self._posts = posts
            self.endResetModel()


def post_title(media: list[MediaRow]) -> str:
    """Return what a post is called."""
    return (media[0].title or media[0].name) if media else "Not in the library any more"


def post_facts(media: list[MediaRow]) -> str:
    """Return the kind of a post, and what it is made of."""
    if len(media) > 1:
        return f"Carousel of {len(media)}"
    if media and media[0].kind is MediaKind.VIDEO:
        return f"Reel, {duration(media[0].duration)}"
    return "Photo"


class _PostDelegate(QStyledItemDelegate):
    """Paints one post: number, picture, title, kind."""

    def __init__(self, theme: Theme, presenter: ComposePresenter, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._presenter = presenter

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the fixed height of a post."""
        return QSize(200, _LINE)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw one post."""
        media: list[MediaRow] = index.data(Qt.ItemDataRole.UserRole)
        rect: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._theme.colour("selection"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, self._theme.colour("hover"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(self._theme.font("type_caption"))
        painter.setPen(self._theme.colour("text_faint"))
        number = QRect(rect.left() + 4, rect.top(), 30, rect.height())
        painter.drawText(number, Qt.AlignmentFlag.AlignRight | middle, str(index.row() + 1))
        self._pictures(painter, QRect(rect.left() + 46, rect.top() + 6, _PICTURE, _PICTURE), media)
        words = rect.adjusted(46 + _PICTURE + 24, 7, -12, -7)
        upper = QRect(words.left(), words.top(), words.width(), words.height() // 2)
        painter.setFont(self._theme.font())
        painter.setPen(self._theme.colour("text"))
        title = QFontMetrics(self._theme.font()).elidedText(
            post_title(media), Qt.TextElideMode.ElideRight, words.width()
        )
        painter.drawText(upper, Qt.AlignmentFlag.AlignLeft | middle, title)
        painter.setFont(self._theme.font("type_caption"))
        painter.setPen(self._theme.colour("text_muted"))
        lower = upper.translated(0, words.height() // 2)
        painter.drawText(lower, Qt.AlignmentFlag.AlignLeft | middle, post_facts(media))
        painter.restore()

    def _pictures(self, painter: QPainter, box: QRect, media: list[MediaRow]) -> None:
        for depth in reversed(range(min(len(media), 3))):
            place = box.translated(depth * 6, 0).adjusted(0, depth * 3, 0, -depth * 3)
            image = self._presenter.thumbnails.get(media[depth].sha256)
            if image is not None and not image.isNull():
                draw_cover(painter, place, image, 4)
            else:
                painter.fillRect(place, self._theme.colour("neutral_soft"))


class PostsCard(QFrame):
    """The posts and their distribution."""

    media_wanted = Signal()

    def __init__(self, context: ViewContext, presenter: ComposePresenter) -> None:
        super().__init__()
        self._context = context
        self._theme = context.theme
        self._presenter = presenter
        self.setProperty("card", "true")
        self._model = _Posts(presenter)
        self._build()
        presenter.draft_changed.connect(self._refresh)
        presenter.thumbnails.arrived.connect(lambda _: self.list.viewport().update())
        self._refresh()

    def add(self) -> None:
        """Choose posts from the library."""
        self._context.tasks.spawn(self, self._add(), "pick media")

    async def _add(self) -> None:
        if not self._presenter.fleet.media.table.total:
            self.media_wanted.emit()
            return
        dialog = PickMediaDialog(self._context, self.window())
        if await ask(dialog):
            self._presenter.add_posts(dialog.chosen)

    def _build(self) -> None:
        self.words = label("", "muted")
        add = button(self._theme, "Add from the library…", icon="plus", on_click=self.add)
        self.list = QListView()
        self.list.setAccessibleName("Posts of the draft")
        self.list.setModel(self._model)
        self.list.setItemDelegate(_PostDelegate(self._theme, self._presenter, self.list))
        self.list.setProperty("framed", "true")
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setTabKeyNavigation(False)
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._show_acts())
        self.up = icon_button(
            self._theme, "arrow-up", "Move the post up", on_click=lambda: self._move(-1)
        )
        self.down = icon_button(
            self._theme, "arrow-down", "Move the post down", on_click=lambda: self._move(1)
        )
        self.group = button(
            self._theme, "Group into a carousel", "ghost", icon="images", on_click=self._group
        )
        self.split = button(
            self._theme, "Split the carousel", "ghost", icon="image", on_click=self._split
        )
        self.remove = button(self._theme, "Remove", "ghost", icon="x", on_click=self._remove)
        self._acts = QWidget()
        self._acts.setLayout(
            row(self.up, self.down, self.group, self.split, self.remove, 1, spacing=2)
        )
        self.distribution = QComboBox()
        self.distribution.setAccessibleName("Distribution")
        for kind, text in _DISTRIBUTIONS:
            self.distribution.addItem(text, kind.value)
        self.distribution.activated.connect(self._choose_distribution)
        self.table = QPlainTextEdit()
        self.table.setProperty("role", "mono")
        self.table.setAccessibleName("Distribution table")
        self.table.setPlaceholderText("harbour.shop, 1\npine.cafe, 2")
        self.table.setTabChangesFocus(True)
        self.table.setFixedHeight(96)
        self.table.textChanged.connect(
            lambda: self._presenter.change(table=self.table.toPlainText())
        )
        self.table_words = label("", "danger", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addLayout(row(label("Which posts", "section"), self.words, 1, add))
        layout.addWidget(self.list)
        layout.addWidget(self._acts)
        layout.addWidget(self.distribution)
        layout.addWidget(self.table)
        layout.addWidget(self.table_words)

    def _lines(self) -> list[int]:
        return sorted(index.row() for index in self.list.selectionModel().selectedIndexes())

    def _move(self, by: int) -> None:
        lines = self._lines()
        if len(lines) == 1:
            self.list.setCurrentIndex(self._model.index(self._presenter.move_post(lines[0], by), 0))

    def _group(self) -> None:
        self._presenter.group(self._lines())

    def _split(self) -> None:
        lines = self._lines()
        if len(lines) == 1:
            self._presenter.ungroup(lines[0])

    def _remove(self) -> None:
        self._presenter.remove_posts(self._lines())

    def _choose_distribution(self) -> None:
        self._presenter.change(distribution=Distribution(self.distribution.currentData()))

    def _refresh(self) -> None:
        draft = self._presenter.draft
        self._model.take(draft.posts)
        count = len(draft.posts)
        self.words.setText(count_of(count, "post") if count else "")
        self.list.setVisible(count > 0)
        self.list.setFixedHeight(min(max(count, 1), _MOST_LINES) * _LINE + 2)
        self.distribution.setVisible(count > 0)
        self.distribution.setCurrentIndex(self.distribution.findData(draft.distribution.value))
        by_table = draft.distribution is Distribution.TABLE and count > 0
        self.table.setVisible(by_table)
        if self.table.toPlainText() != draft.table:
            self.table.setPlainText(draft.table)
        wrong = unreadable_lines(draft.table)
        shown = ", ".join(str(number) for number in wrong[:5])
        self.table_words.setVisible(by_table and bool(wrong))
        self.table_words.setText(f"Not “user name, post number”: line {shown}.")
        self._show_acts()

    def _show_acts(self) -> None:
        lines = self._lines()
        posts = self._presenter.draft.posts
        self._acts.setVisible(bool(lines))
        self.up.setVisible(len(lines) == 1)
        self.down.setVisible(len(lines) == 1)
        self.group.setVisible(len(lines) > 1)
        self.split.setVisible(len(lines) == 1 and len(posts[lines[0]]) > 1)
