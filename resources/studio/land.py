"""Scenes of the land: paper mountains, pines in mist, northern lights."""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from resources.studio.canvas import (
    Array,
    Layer,
    Pen,
    Size,
    Stops,
    below,
    drifting,
    fading,
    fill,
    fog,
    gradient,
    grain,
    light,
    mist,
    mix,
    paper,
    ridge,
    still,
    sway,
    swing,
    unit,
)
from resources.studio.shapes import pine

MARGIN = 80


def forest(
    size: Size, line: Array, height: float, gap: float, rng: np.random.Generator
) -> Image.Image:
    """Mask of a wood that stands on `line` (one height per column)."""
    pen = Pen(size)
    x = -gap
    while x < size[0] + gap:
        foot = line[min(len(line) - 1, max(0, int(x)))]
        pine(pen, x, foot + height * 0.1, height * rng.uniform(0.55, 1.15), rng)
        x += gap * rng.uniform(0.45, 1.3)
    ground = below(line, size)
    mask = pen.mask()
    mask.paste(255, mask=ground)
    return mask


def paper_mountains(
    size: Size, sky: Stops, near: str, far: str, disc: str, seed: int
) -> list[Layer]:
    """Mountain ranges cut from paper before a rising sun; the sheets slide against each other."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    wide = (width + 2 * MARGIN, height + 2 * MARGIN)
    sun = (width * rng.uniform(0.56, 0.68) + MARGIN, height * 0.34 + MARGIN)
    pen = Pen(wide)
    pen.ellipse(*sun, 132 * u, 132 * u)
    disc_sheet = light(wide, sun, 520 * u, disc, 0.55)
    disc_sheet.alpha_composite(paper(pen.mask(), disc, shadow=26 * u, depth=0.14, lift=(0, 8 * u)))
    layers = [
        still(gradient(size, sky)),
        drifting(disc_sheet, size, lambda t: (0, -26 * u * (1 - math.cos(2 * math.pi * t)) / 2)),
    ]
    ranges = 7
    for index in range(ranges):
        share = index / (ranges - 1)
        middle = MARGIN + height * (0.43 + 0.47 * share**1.1)
        swell = height * (0.105 - 0.045 * share)
        peaks = 1.5 - 2.6 * np.abs(ridge(wide[0], 2.0 + 1.2 * share, rng, octaves=3))
        line = middle - swell * (peaks + 0.10 * ridge(wide[0], 26, rng, octaves=2))
        tone = mix(far, near, share)
        sheet = gradient(
            wide,
            [
                (0, tone),
                (max(0.01, middle / wide[1] - 0.06), mix(tone, "#ffffff", 0.10)),
                (1, mix(tone, near, 0.5)),
            ],
        )
        cut = paper(below(line, wide), sheet, shadow=20 * u, depth=0.30, lift=(0, -7 * u))
        reach = u * (5 + 22 * share)
        layers.append(drifting(cut, size, sway(reach, share / 3)))
    return [*layers, still(grain(size, seed, 8))]


def pines_in_mist(
    size: Size, sky: Stops, far: str, near: str, seed: int, *, snow: bool = False
) -> list[Layer]:
    """Wooded ridges that step out of the mist; with `snow`, flakes fall in an endless loop."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    wide = (width + 2 * MARGIN, height + 2 * MARGIN)
    layers = [
        still(gradient(size, sky)),
        still(light(size, (width * 0.3, height * 0.2), 560 * u, "#fff6e6", 0.55)),
    ]
    ridges = 6
    for index in range(ridges):
        share = index / (ridges - 1)
        middle = MARGIN + height * (0.34 + 0.56 * share**1.15)
        line = middle - height * 0.07 * ridge(wide[0], 1.6 + share, rng, octaves=3)
        mask = forest(wide, line, u * (52 + 250 * share**1.4), u * (15 + 46 * share), rng)
        tone = mix(far, near, share**0.9)
        haze = mix(tone, sky[-1][1], 0.55 * (1 - share))
        top = max(0.0, (middle - 300 * u) / wide[1])
        sheet = gradient(wide, [(0, tone), (top, tone), (min(0.99, top + 0.36), haze), (1, haze)])
        reach = u * (3 + 20 * share)
        layers.append(drifting(fill(mask, sheet), size, sway(reach, share / 4)))
        if index < ridges - 1:
            veil = _veil(wide, middle + 40 * u, 120 * u, rng)
            bank = mist(veil, sky[-1][1], 0.62 * (1 - share * 0.55))
            reach = u * 46
            layers.append(drifting(bank, size, sway(reach, share)))
    if snow:
        layers.append(_snowfall(size, rng))
    return [*layers, still(grain(size, seed, 8))]


def _veil(size: Size, middle: float, spread: float, rng: np.random.Generator) -> Array:
    cloud = fog(size, (3, 7), rng)
    rows = np.exp(-(((np.arange(size[1]) - middle) / spread) ** 2))
    return np.asarray(cloud * rows[:, None])


def _snowfall(size: Size, rng: np.random.Generator) -> Layer:
    u, (width, height) = unit(size), size
    flakes = [
        (rng.uniform(0, width), rng.uniform(0, 1), rng.uniform(1.2, 4.2), rng.uniform(0, 1))
        for _ in range(190)
    ]

    def draw(time: float) -> Image.Image:
        pen = Pen(size)
        for x, start, radius, phase in flakes:
            fall = (start + time * (1 if radius < 3 else 2)) % 1
            r = radius * u
            pen.ellipse(x + 18 * u * swing(time, 1, phase), fall * (height + 20) - 10, r, r)
        return fill(pen.mask(0.7 * u), "#ffffff", 0.75)

    return draw


def stars(size: Size, count: int, deepest: float, rng: np.random.Generator) -> list[Layer]:
    """Two sets of stars that twinkle in turn, thinner towards `deepest` (share of the height)."""
    u, sets = unit(size), []
    for phase in (0.0, 0.5):
        pen = Pen(size)
        for _ in range(count // 2):
            y = rng.beta(1, 1.7) * size[1] * deepest
            radius = u * (0.7 + 1.5 * rng.random() ** 4)
            pen.ellipse(rng.uniform(0, size[0]), y, radius, radius, int(rng.uniform(120, 255)))
        sheet = fill(pen.mask(), "#fdf6e3")
        sets.append(fading(sheet, _twinkle(phase)))
    return sets


def _twinkle(phase: float) -> Callable[[float], float]:
    return lambda time: 0.75 + 0.25 * swing(time, 2, phase)


def northern_lights(size: Size, seed: int) -> list[Layer]:
    """Green and violet curtains over a lake and black pines."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    shore = int(height * 0.7)
    line = shore - 52 * u - 60 * u * np.abs(ridge(width, 2.2, rng, 3))
    hills = fill(
        below(line, size),
        gradient(size, [(0, "#16324a"), (0.62, "#17344c"), (0.75, "#0d2032"), (1, "#0d2032")]),
    )
    wood = forest(
        size, np.full(width, shore - 6.0) - 26 * u * ridge(width, 3, rng, 2), 130 * u, 22 * u, rng
    )
    sky: list[Layer] = [
        still(
            gradient(size, [(0, "#070b22"), (0.45, "#12234a"), (0.7, "#27496a"), (1, "#27496a")])
        ),
        *stars(size, 330, 0.66, rng),
        _curtains(size, rng),
        still(hills),
        still(fill(wood, "#081420")),
    ]
    lake_top = gradient(size, [(0, "#0b1a30"), (0.7, "#1b3a56"), (1, "#060d1c")])

    def mirrored(time: float) -> Image.Image:
        above = sky[0](time).copy()
        for layer in sky[1:]:
            above.alpha_composite(layer(time))
        strip = above.crop((0, 2 * shore - height, width, shore)).transpose(
            Image.Transpose.FLIP_TOP_BOTTOM
        )
        strip = strip.filter(ImageFilter.GaussianBlur(2.2 * u))
        whole = lake_top.copy()
        whole.paste(Image.blend(strip, whole.crop((0, shore, width, height)), 0.32), (0, shore))
        above.paste(whole.crop((0, shore, width, height)), (0, shore))
        return above

    ripples = Pen(size)
    for _ in range(110):
        depth = rng.random() ** 1.5
        y = shore + 6 * u + depth * (height - shore)
        half = u * (14 + 120 * depth) * rng.uniform(0.4, 1)
        ripples.ellipse(rng.uniform(0, width), y, half, u * (0.6 + 1.5 * depth), 90)
    return [
        mirrored,
        drifting(fill(ripples.mask(), "#bfeedd", 0.5), size, sway(10 * u)),
        still(grain(size, seed, 7)),
    ]


def _curtains(size: Size, rng: np.random.Generator) -> Layer:
    small = (max(60, size[0] // 8), max(60, size[1] // 8))
    ys, xs = np.mgrid[0 : 1 : small[1] * 1j, 0 : 1 : small[0] * 1j]
    bands = [
        (0.36, 0.05, 1.0, "#58f0b0"),
        (0.43, 0.04, 1.5, "#43d6c4"),
        (0.26, 0.045, 1.2, "#a68bff"),
    ]
    phases = rng.uniform(0, 1, len(bands))
    rays = np.abs(np.interp(np.arange(small[0]), np.linspace(0, small[0], 60), rng.random(60)))

    def draw(time: float) -> Image.Image:
        total = Image.new("RGBA", size)
        for (at, bend, turns, colour), phase in zip(bands, phases, strict=True):
            shift = 2 * math.pi * (time + phase)
            foot = at + 0.08 + bend * np.sin(2 * math.pi * turns * xs + shift) + 0.14 * (0.5 - xs)
            up = (foot - ys) / 0.34
            glow = np.where(up > 0, np.exp(-up * 2.3), np.exp(up * 9))
            pulse = 0.72 + 0.28 * np.sin(2 * math.pi * 5 * xs + 2 * shift)
            veil = glow * (0.45 + 0.55 * rays[None, :]) * pulse
            picture = mist(veil, colour, 0.62).resize(size, Image.Resampling.BICUBIC)
            total.alpha_composite(picture)
        return total

    return draw
