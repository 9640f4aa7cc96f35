"""Scenes of the coast: the sea at dusk, a lighthouse, dunes, paper tides, three coves."""

import math

import numpy as np
from PIL import Image

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
    plain,
    ridge,
    still,
    sway,
    swing,
    unit,
    wave,
)
from resources.studio.land import forest, stars
from resources.studio.shapes import boat

MARGIN = 80


def clouds(
    size: Size, rng: np.random.Generator, colour: str, band: tuple[float, float], peak: float
) -> Layer:
    """Thin drawn-out clouds between two heights (shares of the picture)."""
    wide = (size[0] + 2 * MARGIN, size[1])
    cloud = np.clip(fog(wide, (3, 16), rng) * 2.1 - 0.95, 0, 1)
    rows = np.linspace(0, 1, size[1])
    middle, half = sum(band) / 2, (band[1] - band[0]) / 2
    cloud = cloud * np.exp(-(((rows - middle) / half) ** 2) * 1.6)[:, None]
    reach = 40 * unit(size)
    return drifting(mist(cloud, colour, peak), size, sway(reach))


def _glitter(
    size: Size,
    horizon: float,
    centre: float,
    colour: str,
    rng: np.random.Generator,
    count: int = 330,
) -> Layer:
    """Light on the water: flat sparks, wider and further apart towards the beholder."""
    u, (width, height) = unit(size), size
    depth = rng.random(count) ** 1.35
    ys = horizon + 3 * u + depth * (height - horizon)
    xs = centre + rng.normal(0, 1, count) * width * (0.035 + 0.17 * depth)
    halves = u * (5 + 62 * depth) * rng.uniform(0.35, 1, count)
    phases, turns = rng.random(count), rng.integers(1, 4, count)
    fade = np.exp(-np.abs(xs - centre) / (width * 0.3)) * (1 - 0.55 * depth)

    def draw(time: float) -> Image.Image:
        pen = Pen(size)
        shine = 0.5 + 0.5 * np.sin(2 * math.pi * (turns * time + phases))
        for x, y, half, level, d in zip(xs, ys, halves, 255 * fade * shine, depth, strict=True):
            pen.ellipse(x, y, half * (0.6 + 0.4 * level / 255), u * (0.8 + 2.5 * d), int(level))
        return fill(pen.mask(0.5 * u), colour)

    return draw


def sea_at_dusk(size: Size, sky: Stops, water: Stops, sun: str, seed: int) -> list[Layer]:
    """A low sun over quiet water, two boats, and a dark headland with pines in front."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    horizon = height * 0.56
    where = np.random.default_rng(seed + 1000)
    place = where.uniform(0.28, 0.72)
    centre = (width * place, horizon - where.uniform(40, 130) * u)
    pen = Pen(size)
    pen.ellipse(*centre, 78 * u, 78 * u)
    sea = Pen(size)
    sea.box(0, horizon, width, height)
    hills = (
        horizon
        + 2
        - 46 * u * np.clip(ridge(width, 2.4, rng, 3) + np.linspace(-0.9, 0.8, width), 0, 2)
    )
    share = horizon / height
    air = gradient(size, [(place * share, colour) for place, colour in sky] + [(1, sky[-1][1])])
    deep = gradient(
        size, [(0, water[0][1])] + [(share + place * (1 - share), c) for place, c in water]
    )
    away = 1 if place < 0.5 else -1  # the boats keep out of the sun's path
    fleet = [
        (place + away * 0.28, where.uniform(24, 60), where.uniform(1.1, 1.5), 0.0),
        (place - away * 0.19, 12, 0.5, 0.4),
        (place + away * 0.41, 8, 0.34, 0.7),
    ]

    def boats(time: float) -> Image.Image:
        pens = Pen(size)
        for place, down, scale, phase in fleet:
            x = width * place + 10 * u * swing(time, 1, phase)
            y = horizon + down * u + 2.5 * u * scale * swing(time, 2, phase)
            boat(pens, x, y, scale * u, 0.05 + 0.03 * swing(time, 2, phase + 0.2))
        return fill(pens.mask(), mix(water[-1][1], sky[0][1], 0.25))

    wide = (width + 2 * MARGIN, height + MARGIN)
    shore = height * 0.93 - 100 * u * np.clip(
        np.linspace(-0.7, 1.25, wide[0]) + 0.25 * ridge(wide[0], 2, rng), -0.6, 2
    )
    headland = fill(
        forest(wide, shore + MARGIN / 2, 250 * u, 54 * u, rng), mix(water[-1][1], "#05070f", 0.6)
    )
    return [
        still(air),
        still(light(size, centre, 620 * u, sun, 0.6)),
        clouds(size, rng, mix(sun, "#ffffff", 0.3), (0.1, 0.42), 0.55),
        still(fill(pen.mask(), mix(sun, "#ffffff", 0.55))),
        still(fill(below(hills, size), mix(sky[1][1], water[-1][1], 0.55))),
        still(fill(sea.mask(), deep)),
        _glitter(size, horizon, centre[0], mix(sun, "#ffffff", 0.3), rng),
        boats,
        drifting(headland, size, sway(9 * u)),
        still(grain(size, seed, 8)),
    ]


def lighthouse(size: Size, seed: int) -> list[Layer]:
    """A lighthouse on a cliff at night, its beam going round."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    lamp = (width * 0.63, height * 0.36)
    horizon = height * 0.72
    sea = Pen(size)
    sea.box(0, horizon, width, height)
    cliff = Pen(size)
    edge = np.linspace(0, 1, 60)
    jag = 9 * u * ridge(60, 9, rng, 3)
    slope = [
        (width * (1.02 - 0.72 * e**0.75) + j, height * 0.715 + height * 0.26 * e**3.6 + j)
        for e, j in zip(edge, jag, strict=True)
    ]
    cliff.polygon([(width, height * 0.7), *slope, (width * 0.30, height), (width, height)])
    layers: list[Layer] = [
        still(
            gradient(
                size,
                [
                    (0, "#0b1030"),
                    (0.4, "#1d2a5a"),
                    (0.66, "#4a5a8c"),
                    (0.72, "#8d86a8"),
                    (1, "#8d86a8"),
                ],
            )
        ),
        *stars(size, 300, 0.68, rng),
        clouds(size, rng, "#a9a3c9", (0.46, 0.72), 0.42),
        _beam(size, lamp),
        still(
            fill(sea.mask(), gradient(size, [(0, "#3a4a78"), (0.72, "#44547f"), (1, "#0c1432")]))
        ),
        _glitter(size, horizon, width * 0.3, "#e9dcc0", rng, 220),
        still(
            paper(
                cliff.mask(),
                gradient(
                    size, [(0, "#2a2f52"), (0.66, "#30365c"), (0.8, "#1a1f3e"), (1, "#0c1024")]
                ),
                shadow=18 * u,
            )
        ),
        still(_tower(size, lamp)),
        fading(
            light(size, lamp, 150 * u, "#ffe9b8", 0.95),
            lambda t: 0.8 + 0.2 * math.cos(4 * math.pi * t),
        ),
    ]
    front = height * 0.955 - 34 * u * ridge(width, 3, rng, 4) - np.linspace(0, 60 * u, width)
    grassy = Pen(size)
    for _ in range(420):
        x = rng.uniform(-10, width + 10)
        foot = front[int(np.clip(x, 0, width - 1))] + 6 * u
        tall, bend = u * rng.uniform(14, 62), u * rng.normal(7, 9)
        grassy.polygon([(x - 1.8 * u, foot), (x + bend, foot - tall), (x + 1.8 * u, foot)])
    mask = grassy.mask()
    mask.paste(255, mask=below(front, size))
    return [*layers, still(fill(mask, "#080b1c")), still(grain(size, seed, 7))]


def _tower(size: Size, lamp: tuple[float, float]) -> Image.Image:
    u, (x, y) = unit(size), lamp
    foot = size[1] * 0.74
    whole, bands, dark = Pen(size), Pen(size), Pen(size)

    def half(at: float) -> float:
        return u * (34 + 30 * (at - y) / (foot - y))

    top = y + 40 * u
    whole.polygon(
        [(x - half(top), top), (x + half(top), top), (x + half(foot), foot), (x - half(foot), foot)]
    )
    step = (foot - top) / 5
    for index in (0, 2, 4):
        a, b = top + index * step, top + (index + 1) * step
        bands.polygon([(x - half(a), a), (x + half(a), a), (x + half(b), b), (x - half(b), b)])
    dark.box(x - 50 * u, top - 8 * u, x + 50 * u, top + 4 * u, 3 * u)
    dark.box(x - 27 * u, y - 34 * u, x + 27 * u, top - 6 * u, 2 * u)
    dark.polygon([(x - 36 * u, y - 32 * u), (x, y - 76 * u), (x + 36 * u, y - 32 * u)])
    dark.box(x - 2 * u, y - 96 * u, x + 2 * u, y - 70 * u)
    glass, panes = Pen(size), Pen(size)
    glass.box(x - 21 * u, y - 28 * u, x + 21 * u, top - 12 * u, 2 * u)
    for dy in (1.5, 2.5, 3.5):
        panes.box(x - 6 * u, top + dy * step - 11 * u, x + 6 * u, top + dy * step + 11 * u, 6 * u)
    left, right = (x - 66 * u) / size[0], (x + 66 * u) / size[0]
    shade = [
        (0, "#f4efe6"),
        (left, "#fdf8ee"),
        ((left + right) / 2, "#e4dbd4"),
        (right, "#8f8aa6"),
        (1, "#8f8aa6"),
    ]
    red = [
        (0, "#c9523f"),
        (left, "#d86a50"),
        ((left + right) / 2, "#b8493e"),
        (right, "#5d2b45"),
        (1, "#5d2b45"),
    ]
    picture = fill(whole.mask(), gradient(size, shade, across=True))
    picture.alpha_composite(fill(bands.mask(), gradient(size, red, across=True)))
    picture.alpha_composite(fill(dark.mask(), "#7d3040"))
    picture.alpha_composite(fill(glass.mask(), "#ffedbd"))
    picture.alpha_composite(fill(panes.mask(), "#2b2a48"))
    return picture


def _beam(size: Size, lamp: tuple[float, float]) -> Layer:
    """Two opposite beams; seen from the side a turning beam grows and shrinks."""
    small = (size[0] // 4, size[1] // 4)
    x0, y0 = lamp[0] / 4, lamp[1] / 4
    ys, xs = np.mgrid[0 : small[1], 0 : small[0]]
    reach = math.hypot(*small)

    def draw(time: float) -> Image.Image:
        total = np.zeros((small[1], small[0]))
        for offset in (0.04, 0.54):
            turn = math.cos(2 * math.pi * (time + offset))
            direction = 1 if turn > 0 else -1
            along = (xs - x0) * direction
            off = (ys - y0) + along * 0.10
            spread = 1.6 + 0.085 * np.maximum(along, 0)
            length = reach * (0.12 + 0.88 * abs(turn))
            core = np.exp(-((off / spread) ** 2)) * np.exp(-np.maximum(along, 0) / length * 1.5)
            total += np.where(along > 0, core, 0) * abs(turn) ** 0.5
        return mist(total, "#ffeab5", 0.8).resize(size, Image.Resampling.BICUBIC)

    return draw


def dunes(size: Size, seed: int) -> list[Layer]:
    """Sand, marram grass, a strip of sea and gulls on a bright windy day."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    sea = Pen(size)
    horizon = height * 0.40
    sea.box(0, horizon, width, height)
    layers: list[Layer] = [
        still(gradient(size, [(0, "#8fb9cf"), (0.4, "#e9ead9"), (1, "#e9ead9")])),
        still(light(size, (width * 0.8, height * 0.12), 520 * u, "#fff4d6", 0.8)),
        clouds(size, rng, "#ffffff", (0.0, 0.34), 0.9),
        still(
            fill(
                sea.mask(),
                gradient(
                    size, [(0, "#5d9aa8"), (0.4, "#4f8f9f"), (0.6, "#8fc0b8"), (1, "#8fc0b8")]
                ),
            )
        ),
        _glitter(size, horizon, width * 0.78, "#ffffff", rng, 200),
    ]
    for index in range(4):
        share = index / 3
        lean = np.linspace(-1, 1, width) * (1 if index % 2 else -1)
        line = height * (0.50 + 0.13 * index) + height * 0.075 * (
            lean + 0.75 * wave(width, 2.3, rng)
        )
        tone = mix("#e6d2ac", "#b98d5f", share)
        sand = gradient(
            size,
            [
                (0, mix(tone, "#fff7e3", 0.5)),
                (0.42 + 0.12 * index, mix(tone, "#fff7e3", 0.45)),
                (min(1, 0.68 + 0.12 * index), tone),
                (1, mix(tone, "#7d5a44", 0.35)),
            ],
        )
        layers.append(
            still(paper(below(line, size), sand, shadow=16 * u, depth=0.2, lift=(0, -5 * u)))
        )
        layers.append(still(_marram(size, line, index, rng)))
    return [*layers, still(_gulls(size, rng)), still(grain(size, seed, 8))]


def _marram(size: Size, line: Array, index: int, rng: np.random.Generator) -> Image.Image:
    u, pen = unit(size), Pen(size)
    for _ in range(9 + index * 3):
        clump = rng.uniform(0, size[0])
        foot = line[int(min(clump, size[0] - 1))]
        for _ in range(26):
            x = clump + u * rng.normal(0, 15 + 7 * index)
            tall, bend = u * rng.uniform(18, 46 + 26 * index), u * rng.normal(16, 14)
            stem = [(x + bend * s**2, foot + 8 * u - tall * s) for s in np.linspace(0, 1, 14)]
            pen.taper(stem, u * (2.2 + 0.6 * index), 0.8 * u)
    return fill(pen.mask(), ["#8b9468", "#7a8759", "#66764d", "#4c5e42"][index])


def _gulls(size: Size, rng: np.random.Generator) -> Image.Image:
    u, pen = unit(size), Pen(size)
    for x, y, span in ((0.22, 0.17, 58), (0.33, 0.28, 34), (0.43, 0.12, 26), (0.64, 0.23, 22)):
        tilt = rng.normal(0, 0.12)
        for side in (-1, 1):
            wing = [
                (
                    size[0] * x + side * span * u * s,
                    size[1] * y
                    - span * u * (0.62 * math.sin(s * 2.3) * (1 - 0.35 * s) + tilt * side * s),
                )
                for s in np.linspace(0, 1, 40)
            ]
            pen.taper(wing, span * u * 0.13, span * u * 0.03)
    return fill(pen.mask(), "#fbfaf4")


def paper_tide(size: Size, tones: list[str], seed: int, *, sun: str | None = None) -> list[Layer]:
    """Waves cut from stacked paper; every sheet runs along at its own pace."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    wide = (width + 4 * MARGIN, height + 2 * MARGIN)
    layers: list[Layer] = [
        still(gradient(size, [(0, tones[0]), (1, mix(tones[0], tones[1], 0.4))]))
    ]
    if sun:
        pen = Pen(size)
        pen.ellipse(width * 0.66, height * 0.2, 140 * u, 140 * u)
        layers.append(
            still(paper(pen.mask(), sun, shadow=24 * u, depth=0.22, lift=(6 * u, 10 * u)))
        )
    count = len(tones) - 1
    across = np.linspace(0, 2 * math.pi, wide[0])
    for index, tone in enumerate(tones[1:]):
        share = index / (count - 1)
        middle = MARGIN + height * (0.30 + 0.60 * share)
        turns = 2.1 + 0.9 * rng.random()
        phase = rng.uniform(0, 2 * math.pi)
        crest = np.sin(across * turns + phase)
        line = middle - height * (0.036 + 0.012 * share) * (
            np.sign(crest) * np.abs(crest) ** 0.85 + 0.35 * np.sin(across * turns * 2.3 + phase)
        )
        sheet = gradient(
            wide,
            [
                (0, mix(tone, "#ffffff", 0.14)),
                (middle / wide[1], mix(tone, "#ffffff", 0.1)),
                (min(1, middle / wide[1] + 0.16), tone),
                (1, tone),
            ],
        )
        cut = paper(below(line, wide), sheet, shadow=18 * u, depth=0.36, lift=(0, -8 * u))
        reach = u * (34 + 50 * share) * (1 if index % 2 else -1)
        rise = u * 9
        layers.append(
            drifting(
                cut,
                size,
                sway(reach, share / 2, rise),
            )
        )
    return [*layers, still(grain(size, seed, 9))]


def coves(size: Size, seed: int) -> list[Layer]:
    """A coast from dawn on the left to night on the right, made to be cut into three squares."""
    rng = np.random.default_rng(seed)
    u, (width, height) = size[1] / 1350, size
    horizon = height * 0.52
    times = ["#f6cfa8", "#9cc7d6", "#2a3a72"], ["#e58f7b", "#e8ead8", "#7a6aa0"]
    upper = gradient(
        size,
        [(0, times[0][0]), (0.5, times[0][1]), (0.92, times[0][2]), (1, times[0][2])],
        across=True,
    )
    lower = gradient(
        size,
        [(0, times[1][0]), (0.5, times[1][1]), (0.92, times[1][2]), (1, times[1][2])],
        across=True,
    )
    blend = (
        Image.linear_gradient("L").resize((width, int(horizon))).crop((0, 0, width, int(horizon)))
    )
    mask = Image.new("L", size, 255)
    mask.paste(blend, (0, 0))
    air = Image.composite(lower, upper, mask)
    sun, moon, sea = Pen(size), Pen(size), Pen(size)
    sun.ellipse(width * 0.16, horizon - 170 * u, 105 * u, 105 * u)
    moon.ellipse(width * 0.86, height * 0.17, 66 * u, 66 * u)
    sea.box(0, horizon, width, height)
    water = gradient(
        size,
        [(0, "#c9796b"), (0.25, "#6fa0a8"), (0.55, "#4b93a3"), (0.9, "#1f2f63"), (1, "#1a2856")],
        across=True,
    )
    dark = Image.linear_gradient("L").resize((width, height)).point(lambda v: v // 2)
    water.paste(Image.new("RGBA", size, "#0f1c3c"), mask=dark)
    layers: list[Layer] = [
        still(air),
        still(light(size, (width * 0.16, horizon - 170 * u), 620 * u, "#ffe2b0", 0.85)),
        still(light(size, (width * 0.86, height * 0.17), 320 * u, "#dfe6ff", 0.6)),
        clouds(size, rng, "#fff4e6", (0.04, 0.42), 0.6),
        still(fill(sun.mask(), "#fff1d0")),
        still(fill(moon.mask(), "#f5f2e4")),
    ]
    for index in range(3):
        line = (
            horizon
            + 4
            - u * (120 - 24 * index) * np.clip(ridge(width, 7 + 3 * index, rng, 4) + 0.12, -0.01, 2)
        )
        tint = gradient(size, [(0, "#b06a70"), (0.5, "#6f9a96"), (1, "#232c5c")], across=True)
        ink = plain(size, "#14203c")
        layers.append(still(fill(below(line, size), Image.blend(tint, ink, 0.1 + 0.2 * index))))
    layers += [
        still(fill(sea.mask(), water)),
        _glitter(size, horizon, width * 0.16, "#ffe9c4", rng, 420),
        _glitter(size, horizon, width * 0.86, "#dfe6ff", rng, 300),
    ]
    fleet = Pen(size)
    for place, down, scale in (
        (0.09, 90, 1.5),
        (0.43, 60, 1.2),
        (0.56, 130, 1.9),
        (0.62, 40, 0.7),
        (0.79, 100, 1.4),
    ):
        boat(fleet, width * place, horizon + down * u, scale * u, 0.05)
    layers.append(
        still(
            fill(
                fleet.mask(),
                gradient(size, [(0, "#5b2c3c"), (0.5, "#fbf6ea"), (1, "#cfd3ec")], across=True),
            )
        )
    )
    line = height * 0.90 - 130 * u * (wave(width, 3.2, rng) * 0.8 + 0.25 * ridge(width, 8, rng, 3))
    tint = gradient(size, [(0, "#47273a"), (0.5, "#1f4a49"), (1, "#0b1130")], across=True)
    layers.append(still(paper(forest(size, line, 270 * u, 74 * u, rng), tint, shadow=20 * u)))
    return [*layers, still(grain(size, seed, 8, vignette=0.04))]
