"""Render `icons/flotilla.svg` to the PNG sizes, the Windows `.ico` and the macOS `.icns`.

A developer's tool: run `python -m resources.make_app_icon` after the drawing changed and commit
what it wrote. Nothing here runs in the application.
"""

from pathlib import Path

from PIL import Image
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

import resources

SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
ICNS_SIZES = (32, 64, 128, 256, 512)


def render(drawing: QSvgRenderer, size: int) -> Image.Image:
    """Draw the icon at `size` pixels, from the vectors and not from a larger picture."""
    canvas = QImage(size, size, QImage.Format.Format_RGBA8888)
    canvas.fill(0)
    painter = QPainter(canvas)
    drawing.render(painter)
    painter.end()
    return Image.frombytes("RGBA", (size, size), bytes(canvas.constBits()))


def write_all(source: Path, folder: Path) -> list[Path]:
    """Write every form of the drawing `source` into `folder` and return the files written.

    Raises:
        ValueError: `source` is not an SVG file that Qt can draw.
    """
    drawing = QSvgRenderer(QByteArray(source.read_bytes()))
    if not drawing.isValid():
        raise ValueError(f"{source} is not an SVG drawing that Qt can render")
    pictures = {size: render(drawing, size) for size in SIZES}
    written = []
    for size, picture in pictures.items():
        written.append(folder / f"flotilla-{size}.png")
        picture.save(written[-1], optimize=True)
    for suffix, sizes in ((".ico", ICO_SIZES), (".icns", ICNS_SIZES)):
        written.append(folder / f"flotilla{suffix}")
        pictures[max(sizes)].save(
            written[-1],
            sizes=[(size, size) for size in sizes],
            append_images=[pictures[size] for size in sizes[:-1]],
        )
    return written


def main() -> None:
    """Render every form next to the drawing and print their sizes in bytes."""
    application = QGuiApplication(["-platform", "offscreen"])
    for file in write_all(resources.path("icons", "flotilla.svg"), resources.path("icons")):
        print(file.name, file.stat().st_size)
    application.quit()


if __name__ == "__main__":
    main()
