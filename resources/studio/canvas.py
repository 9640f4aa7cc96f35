"""The drawing kit: colour ramps, noise, anti-aliased shapes, paper layers, light, grain, letters.

No scene lives here. A *layer* is a function of time (0 to 1, one loop) that returns a full-size
RGBA picture; a scene is a list of layers, back to front. Coordinates are pixels of the final
picture; `unit(size)` scales details so that one scene fits every format.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

import resources

Array = npt.NDArray[np.float64]
Size = tuple[int, int]
Stops = Sequence[tuple[float, str]]
Layer = Callable[[float], Image.Image]

SUPERSAMPLING = 2
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def unit(size: Size) -> float:
    """Pixels per design pixel; the designs are thought on 1080 × 1350."""
    return math.sqrt(size[0] * size[1]) / math.sqrt(1080 * 1350)


def rgb(colour: str) -> tuple[int, int, int]:
    """The three channels of `#rrggbb`, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _oklab(colour: str) -> Array:
    channel = np.array(rgb(colour)) / 255
    linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
    return np.asarray(_TO_LAB @ np.cbrt(_TO_LMS @ linear))


def ramp(stops: Stops, steps: int) -> Array:
    """`steps` RGB colours along `stops`, mixed in OKLab so that no grey creeps in between."""
    at = np.linspace(0, 1, steps)
    labs = np.array([_oklab(colour) for _, colour in stops])
    places = [place for place, _ in stops]
    lab = np.stack([np.interp(at, places, labs[:, i]) for i in range(3)], axis=1)
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    linear = np.clip(linear, 0, 1)
    channel = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(channel * 255)


def mix(one: str, other: str, share: float) -> str:
    """The colour `share` of the way from `one` to `other`."""
    red, green, blue = ramp([(0, one), (1, other)], 101)[round(share * 100)].round().astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def gradient(size: Size, stops: Stops, *, across: bool = False) -> Image.Image:
    """A picture filled from top to bottom, or left to right where `across`."""
    width, height = size
    colours = ramp(stops, width if across else height)
    line = colours[None, :, :] if across else colours[:, None, :]
    return _image(np.broadcast_to(line, (height, width, 3))).convert("RGBA")


def plain(size: Size, colour: str) -> Image.Image:
    """A picture of one colour."""
    return Image.new("RGBA", size, colour)


def _image(values: Array) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def wave(length: int, cells: float, rng: np.random.Generator) -> Array:
    """Smooth random line of `length` values between -1 and 1, about `cells` bumps long."""
    knots = rng.uniform(-1, 1, math.ceil(cells) + 3)
    at = np.linspace(0, cells, length)
    index = at.astype(int)
    share = at - index
    share = share * share * (3 - 2 * share)
    return np.asarray(knots[index] * (1 - share) + knots[index + 1] * share)


def ridge(length: int, cells: float, rng: np.random.Generator, octaves: int = 5) -> Array:
    """A mountain line: octaves of `wave`, rougher where `octaves` is higher; about -1 to 1."""
    total = sum(wave(length, cells * 2**o, rng) * 0.5**o for o in range(octaves))
    return np.asarray(total) / 1.6


def fog(size: Size, cells: tuple[int, int], rng: np.random.Generator) -> Array:
    """A soft cloud map, 0 to 1, rows × columns; `cells` = lumps across and down."""
    total = np.zeros((size[1], size[0]))
    for octave in range(4):
        grid = rng.random((cells[1] * 2**octave + 1, cells[0] * 2**octave + 1)).astype(np.float32)
        lump = Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)
        total += np.asarray(lump, dtype=np.float64) * 0.5**octave
    low, high = total.min(), total.max()
    return np.asarray((total - low) / (high - low))


class Pen:
    """Draws into a supersampled mask with coordinates of the final picture."""

    def __init__(self, size: Size) -> None:
        self._mask = Image.new("L", (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING))
        self._draw = ImageDraw.Draw(self._mask)

    def polygon(self, points: Iterable[tuple[float, float]], level: int = 255) -> None:
        self._draw.polygon([(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in points], fill=level)

    def ellipse(self, x: float, y: float, rx: float, ry: float, level: int = 255) -> None:
        s = SUPERSAMPLING
        self._draw.ellipse(((x - rx) * s, (y - ry) * s, (x + rx) * s, (y + ry) * s), fill=level)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        radius: float = 0,
        level: int = 255,
    ) -> None:
        s = SUPERSAMPLING
        self._draw.rounded_rectangle(
            (left * s, top * s, right * s, bottom * s), radius * s, fill=level
        )

    def line(self, points: Iterable[tuple[float, float]], width: float, level: int = 255) -> None:
        scaled = [(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in points]
        self._draw.line(
            scaled, fill=level, width=max(1, round(width * SUPERSAMPLING)), joint="curve"
        )

    def taper(self, points: Sequence[tuple[float, float]], start: float, end: float) -> None:
        """A line whose width goes from `start` to `end`: a stem, a blade of grass."""
        for i, (x, y) in enumerate(points):
            radius = (start + (end - start) * i / max(1, len(points) - 1)) / 2
            if i:
                self.line([points[i - 1], (x, y)], 2 * radius)
            self.ellipse(x, y, radius, radius)

    def mask(self, blur: float = 0) -> Image.Image:
        mask = self._mask.reduce(SUPERSAMPLING)
        return mask.filter(ImageFilter.GaussianBlur(blur)) if blur else mask


def fill(mask: Image.Image, paint: str | Image.Image, opacity: float = 1) -> Image.Image:
    """`paint` (a colour or a picture) cut out by `mask`."""
    cut = plain(mask.size, paint) if isinstance(paint, str) else paint.copy()
    cut.putalpha(mask.point(lambda level: round(level * opacity)) if opacity < 1 else mask)
    return cut


def paper(
    mask: Image.Image,
    paint: str | Image.Image,
    *,
    shadow: float = 14,
    depth: float = 0.35,
    lift: tuple[float, float] = (0, -4),
) -> Image.Image:
    """A cut sheet of paper with the soft shadow it throws on what lies behind it.

    `shadow` is the blur in pixels, `depth` the darkness (0 to 1), `lift` where the shadow falls.
    """
    thrown = mask.filter(ImageFilter.GaussianBlur(shadow))
    thrown = thrown.transform(thrown.size, Image.Transform.AFFINE, (1, 0, -lift[0], 0, 1, -lift[1]))
    sheet = Image.alpha_composite(fill(thrown, "#120f1c", depth), fill(mask, paint))
    inner = ImageChops.offset(mask, 0, 2)
    inner.paste(255, (0, 0, mask.width, 2))
    sheet.alpha_composite(fill(ImageChops.subtract(mask, inner), "#ffffff", 0.20))
    return sheet


def below(line: Array, size: Size) -> Image.Image:
    """Mask of everything under `line` (one height per column, in pixels)."""
    pen = Pen(size)
    width, height = size
    columns = np.linspace(0, width, len(line))
    pen.polygon([(0, height), *zip(columns, line, strict=True), (width, height)])
    return pen.mask()


def light(
    size: Size, at: tuple[float, float], radius: float, colour: str, peak: float
) -> Image.Image:
    """A round glow that is `peak` opaque in the middle and fades smoothly to nothing."""
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]]
    distance = np.hypot(xs - at[0], ys - at[1]) / radius
    return fill(_image(255 * peak * np.exp(-(distance**2) * 2.2)), colour)


def mist(cloud: Array, colour: str, peak: float) -> Image.Image:
    """A cloud map as a veil of `colour`."""
    return fill(_image(255 * peak * np.clip(cloud, 0, 1)), colour)


def still(picture: Image.Image) -> Layer:
    """A picture that never changes."""
    return lambda _time: picture


def fading(picture: Image.Image, opacity: Callable[[float], float]) -> Layer:
    """A picture that stays where it is and is `opacity(time)` (0 to 1) visible."""
    alpha = picture.getchannel("A")

    def draw(time: float) -> Image.Image:
        share = opacity(time)
        faded = picture.copy()
        faded.putalpha(alpha.point(lambda level: round(level * share)))
        return faded

    return draw


def drifting(
    picture: Image.Image, size: Size, way: Callable[[float], tuple[float, float]]
) -> Layer:
    """A picture at least as large as `size`, centred, moved by `way(time)` pixels."""
    left, top = (picture.width - size[0]) / 2, (picture.height - size[1]) / 2
    premultiplied = picture.convert("RGBa")  # so that edges blend without dark seams, and faster

    def draw(time: float) -> Image.Image:
        dx, dy = way(time)
        x = min(max(0.0, left - dx), 2 * left)
        y = min(max(0.0, top - dy), 2 * top)
        moved = premultiplied.resize(
            size, Image.Resampling.BILINEAR, box=(x, y, x + size[0], y + size[1])
        )
        return moved.convert("RGBA")

    return draw


def swing(time: float, turns: int = 1, phase: float = 0) -> float:
    """A loop between -1 and 1 that ends where it began."""
    return math.sin(2 * math.pi * (turns * time + phase))


def sway(reach: float, phase: float = 0, rise: float = 0) -> Callable[[float], tuple[float, float]]:
    """To and fro by `reach` pixels and up and down by `rise`, once a loop."""
    return lambda time: (reach * swing(time, 1, phase), rise * swing(time, 1, phase * 2 + 0.25))


def grain(size: Size, seed: int, strength: float = 9, vignette: float = 0.16) -> Image.Image:
    """Film grain and darker corners as one transparent layer; small pictures get finer grain."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, strength * min(1.0, unit(size) ** 2), (size[1], size[0]))
    ys, xs = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    corner = np.clip((xs**2 + ys**2) / 2, 0, 1) ** 1.6 * 255 * vignette
    value = noise - corner
    shade = np.where(value > 0, 255, 12)
    picture = _image(np.repeat(shade[:, :, None], 3, axis=2)).convert("RGBA")
    picture.putalpha(_image(np.abs(value)))
    return picture


def compose(layers: Sequence[Layer], time: float = 0) -> Image.Image:
    """All layers of a scene over each other, as they are at `time`."""
    picture = layers[0](time).copy()
    for layer in layers[1:]:
        picture.alpha_composite(layer(time))
    return picture.convert("RGB")


@cache
def font(weight: str, pixels: int) -> Any:
    """Inter in one weight and size."""
    return ImageFont.truetype(str(resources.path("fonts", f"Inter-{weight}.otf")), pixels)


def letters(
    size: Size,
    text: str,
    at: tuple[float, float],
    pixels: float,
    colour: str,
    *,
    weight: str = "Bold",
    tracking: float = 0,
    anchor: str = "middle",
) -> Image.Image:
    """One line of text with its baseline at `at`; `tracking` in ems, `anchor` left or middle."""
    face = font(weight, round(pixels))
    gap = tracking * pixels
    advances = [face.getlength(pair) - face.getlength(pair[1:]) for pair in _pairs(text)]
    total = sum(advances) + gap * (len(text) - 1)
    x = at[0] - total / 2 if anchor == "middle" else at[0]
    sheet = Image.new("RGBA", size)
    draw = ImageDraw.Draw(sheet)
    for letter, advance in zip(text, advances, strict=True):
        draw.text((x, at[1]), letter, font=face, fill=colour, anchor="ls")
        x += advance + gap
    return sheet


def _pairs(text: str) -> list[str]:
    return [text[i : i + 2] for i in range(len(text))]
