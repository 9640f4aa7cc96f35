"""Room on the disk that is kept for when it is full: what was begun can still be written down."""

from common.infra.ballast import Ballast


class DiskRoom:
    """The ballast of a data folder, and whether it had to be given up. For any thread."""

    def __init__(self, ballast: Ballast) -> None:
        self._ballast = ballast
        self._is_full = False

    @property
    def is_full(self) -> bool:
        """True from when the disk was full until there is room for the ballast again."""
        return self._is_full

    def give_up(self) -> bool:
        """Take note that the disk is full; returns whether there was room to give up."""
        self._is_full = True
        return self._ballast.release()

    def open_with(self, wanted: int) -> None:
        """Give the room up where less than so many bytes are free: who starts has to write."""
        if self._ballast.free < wanted:
            self.give_up()

    def take(self) -> bool:
        """Take the room again, if there is any; returns whether it is there. Blocks."""
        if self._ballast.make():
            self._is_full = False
        else:
            self._is_full = True
        return not self._is_full
