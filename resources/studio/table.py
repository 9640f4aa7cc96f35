"""Still lives of the table: coffee from above, a cup by the window, pottery under arches."""

import math

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from resources.studio.canvas import (
    Layer,
    Pen,
    Size,
    fading,
    fill,
    gradient,
    grain,
    light,
    mist,
    mix,
    paper,
    plain,
    still,
    swing,
    unit,
)
from resources.studio.shapes import bean, frond


def window_light(size: Size, tilt: float, peak: float) -> Image.Image:
    """Sun through a window with bars, slanting over the picture, soft at the edges."""
    pen, (width, height) = Pen(size), size
    for row in range(4):
        for column in range(2):
            left = width * (0.20 + 0.31 * column)
            top = height * (-0.28 + 0.30 * row)
            right, bottom = left + width * 0.275, top + height * 0.27
            corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
            pen.polygon(
                [(x + (y - height / 2) * tilt, y + (x - width / 2) * 0.22) for x, y in corners]
            )
    return fill(pen.mask(11 * unit(size)), "#fff0d0", peak)


def leaf_shadow(size: Size, seed: int, peak: float = 0.2) -> Image.Image:
    """The blurred shadow of branches outside the picture."""
    rng, pen, (width, height) = np.random.default_rng(seed), Pen(size), size
    for _ in range(5):
        foot = (width * rng.uniform(0.55, 1.1), -height * 0.08)
        frond(
            pen,
            foot,
            math.pi * rng.uniform(0.58, 0.82),
            height * rng.uniform(0.38, 0.66),
            rng.uniform(-0.4, 0.4),
            8,
        )
    return fill(pen.mask(9 * unit(size)), "#2a1c2e", peak)


def disc(size: Size, centre: tuple[float, float], radius: float) -> Image.Image:
    """Mask of a round plate."""
    pen = Pen(size)
    pen.ellipse(*centre, radius, radius)
    return pen.mask()


def coffee_from_above(size: Size, cloth: str, china: str, seed: int) -> list[Layer]:
    """A flat white with a poured heart, on a saucer, in low window light."""
    u, (width, height) = unit(size), size
    centre = (width * 0.48, height * 0.53)
    picture = plain(size, cloth)
    picture.alpha_composite(
        gradient(size, [(0, mix(cloth, "#ffffff", 0.16)), (1, mix(cloth, "#2a1c20", 0.16))])
    )
    linen = Pen(size)
    corners = [
        (width * 0.5, height * 0.08),
        (width * 1.1, height * 0.3),
        (width * 0.86, height * 1.1),
        (width * 0.2, height * 1.02),
    ]
    linen.polygon(corners)
    picture.alpha_composite(
        paper(
            linen.mask(),
            mix(cloth, "#fffaf0", 0.72),
            shadow=16 * u,
            depth=0.3,
            lift=(-5 * u, 9 * u),
        )
    )
    picture.alpha_composite(_stripes(linen.mask(), size, mix(cloth, "#243a55", 0.35)))
    picture.alpha_composite(window_light(size, -0.34, 0.34))
    for radius, tone, blur, lift in (
        (352, china, 40, 26),
        (338, mix(china, "#ffffff", 0.35), 3, 0),
        (214, mix(china, "#2b2530", 0.07), 10, 2),
    ):
        sheet = gradient(size, [(0, mix(tone, "#ffffff", 0.25)), (1, mix(tone, "#3b3040", 0.22))])
        mask = disc(size, centre, radius * u)
        picture.alpha_composite(
            paper(
                mask,
                sheet,
                shadow=blur * u,
                depth=0.42 if lift else 0.12,
                lift=(-lift * u * 0.7, lift * u),
            )
        )
    handle = Pen(size)
    end = (centre[0] + 318 * u, centre[1] - 196 * u)
    handle.line([(centre[0] + 150 * u, centre[1] - 92 * u), end], 46 * u)
    handle.ellipse(*end, 23 * u, 23 * u)
    picture.alpha_composite(
        paper(
            handle.mask(),
            mix(china, "#ffffff", 0.45),
            shadow=16 * u,
            depth=0.4,
            lift=(-12 * u, 18 * u),
        )
    )
    rim = disc(size, centre, 232 * u)
    picture.alpha_composite(
        paper(
            rim,
            gradient(
                size,
                [
                    (0, "#ffffff"),
                    (0.4, mix(china, "#ffffff", 0.6)),
                    (1, mix(china, "#4b3d48", 0.25)),
                ],
            ),
            shadow=26 * u,
            depth=0.5,
            lift=(-18 * u, 26 * u),
        )
    )
    brew = disc(size, centre, 207 * u)
    crema = fill(brew, "#6b3a1e")
    crema.alpha_composite(
        ImageChops.multiply(light(size, centre, 250 * u, "#c98a4e", 0.9), fill(brew, "#ffffff"))
    )
    picture.alpha_composite(crema)
    art = _poured_heart(size, centre, 150 * u)
    picture.alpha_composite(fill(art.filter(ImageFilter.GaussianBlur(1.6 * u)), "#f6e6cb"))
    inner = ImageChops.subtract(brew, disc(size, (centre[0] - 7 * u, centre[1] + 10 * u), 205 * u))
    picture.alpha_composite(fill(inner.filter(ImageFilter.GaussianBlur(7 * u)), "#2a130a", 0.75))
    picture.alpha_composite(_spoon(size, centre))
    picture.alpha_composite(_beans(size, seed))
    picture.alpha_composite(leaf_shadow(size, seed))
    return [still(picture), still(grain(size, seed, 8))]


def _stripes(mask: Image.Image, size: Size, colour: str) -> Image.Image:
    pen, (width, height) = Pen(size), size
    for at in (0.045, 0.06, 0.075):
        pen.line(
            [(width * (0.5 + at), height * (0.08 + at * 0.4)), (width * (0.2 + at), height * 1.02)],
            5 * unit(size),
        )
    return fill(ImageChops.multiply(pen.mask(), mask), colour, 0.8)


def _poured_heart(size: Size, centre: tuple[float, float], radius: float) -> Image.Image:
    """The heart a barista pours: rings of milk, drawn together at the tip."""
    pen = Pen(size)
    turns = np.linspace(0, 2 * math.pi, 90)
    for share, level in ((1.0, 255), (0.84, 40), (0.72, 255), (0.55, 60), (0.44, 255)):
        ring = []
        for a in turns:
            dx = math.sin(a) ** 3
            dy = (
                -(13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a))
                / 16
            )
            ring.append(
                (
                    centre[0] + radius * share * dx,
                    centre[1] + radius * (share * dy + 0.16 * (1 - share)),
                )
            )
        pen.polygon(ring, level)
    return pen.mask()


def _spoon(size: Size, centre: tuple[float, float]) -> Image.Image:
    u, pen = unit(size), Pen(size)
    x, y = centre[0] - 268 * u, centre[1] - 40 * u
    pen.ellipse(x, y + 190 * u, 33 * u, 52 * u)
    pen.taper(
        [(x + 30 * u * s**2, y + (150 - 400 * s) * u) for s in np.linspace(0, 1, 60)],
        10 * u,
        19 * u,
    )
    metal = gradient(
        size,
        [
            (0, "#b9975a"),
            (x / size[0], "#f0dba6"),
            (min(1, x / size[0] + 0.03), "#a07a40"),
            (1, "#a07a40"),
        ],
        across=True,
    )
    return paper(pen.mask(), metal, shadow=9 * u, depth=0.45, lift=(-7 * u, 10 * u))


def _beans(size: Size, seed: int) -> Image.Image:
    rng, u = np.random.default_rng(seed + 40), unit(size)
    sheet = Image.new("RGBA", size)
    for place in (
        (0.845, 0.75),
        (0.90, 0.80),
        (0.82, 0.83),
        (0.93, 0.70),
        (0.10, 0.13),
        (0.165, 0.10),
    ):
        at = (size[0] * place[0], size[1] * place[1])
        sheet.alpha_composite(bean(size, at, 34 * u, rng.uniform(0, math.pi), "#5a3119"))
    return sheet


def _solid(size: Size, left: float, right: float, tone: str) -> Image.Image:
    """Paint for something round standing between two columns: light left, shade right."""
    a, b = left / size[0], right / size[0]
    lit, dark = mix(tone, "#fff6e6", 0.42), mix(tone, "#22182c", 0.50)
    stops = [
        (0.0, mix(tone, "#22182c", 0.12)),
        (a, mix(tone, "#22182c", 0.12)),
        (a + (b - a) * 0.28, lit),
        (a + (b - a) * 0.62, tone),
        (b, dark),
        (1.0, dark),
    ]
    return gradient(size, [(min(1, max(0, place)), colour) for place, colour in stops], across=True)


def cup_by_window(size: Size, wall: str, table: str, china: str, seed: int) -> list[Layer]:
    """A steaming cup on a sill, a sprig in a bottle beside it, the window on the wall."""
    u, (width, height) = unit(size), size
    edge = height * 0.70
    x, foot = width * 0.44, height * 0.795
    room = gradient(
        size, [(0, mix(wall, "#ffffff", 0.14)), (0.7, mix(wall, "#2a1f33", 0.16)), (1, wall)]
    )
    room.alpha_composite(window_light(size, -0.42, 0.42))
    room.alpha_composite(leaf_shadow(size, seed, 0.16))
    board = Pen(size)
    board.box(-9, edge, width + 9, height + 9)
    room.alpha_composite(
        paper(
            board.mask(),
            gradient(
                size,
                [
                    (0, table),
                    (edge / height, mix(table, "#fff2da", 0.28)),
                    (edge / height + 0.02, table),
                    (1, mix(table, "#23161c", 0.42)),
                ],
            ),
            shadow=24 * u,
            depth=0.25,
        )
    )
    room.alpha_composite(_bottle(size, (width * 0.80, height * 0.765)))
    thrown = Pen(size)
    thrown.polygon(
        [
            (x - 170 * u, foot + 12 * u),
            (x + 150 * u, foot + 8 * u),
            (x + 520 * u, foot + 92 * u),
            (x + 190 * u, foot + 104 * u),
        ]
    )
    room.alpha_composite(fill(thrown.mask(20 * u), "#1d1218", 0.42))
    room.alpha_composite(_cup(size, x, foot, china))
    return [
        still(room),
        _steam(size, (x, foot - 300 * u), seed),
        fading(window_light(size, -0.42, 0.10), lambda t: 0.5 + 0.5 * swing(t, 1, 0.1)),
        still(grain(size, seed, 8)),
    ]


def _cup(size: Size, x: float, foot: float, china: str) -> Image.Image:
    u, sheet = unit(size), Image.new("RGBA", size)
    dish, body, ear, hole, lip, brew, band = (Pen(size) for _ in range(7))
    dish.ellipse(x, foot, 268 * u, 36 * u)
    dish.box(x - 110 * u, foot, x + 110 * u, foot + 46 * u, 20 * u)
    top = foot - 290 * u
    side = [(196 * u * (1 - 0.52 * s**3.2), top + 282 * u * s) for s in np.linspace(0, 1, 40)]
    body.polygon(
        [*((x - half, y) for half, y in side), *((x + half, y) for half, y in reversed(side))]
    )
    ear.ellipse(x + 196 * u, top + 112 * u, 92 * u, 88 * u)
    hole.ellipse(x + 196 * u, top + 112 * u, 58 * u, 55 * u)
    lip.ellipse(x, top, 196 * u, 34 * u)
    brew.ellipse(x, top + 4 * u, 183 * u, 27 * u)
    lower = [(h, y) for h, y in side if y > top + 165 * u]
    band.polygon([*((x - h, y) for h, y in lower), *((x + h, y) for h, y in reversed(lower))])
    sheet.alpha_composite(
        paper(
            dish.mask(),
            _solid(size, x - 268 * u, x + 268 * u, mix(china, "#c9b9a4", 0.3)),
            shadow=12 * u,
            depth=0.4,
            lift=(6 * u, 8 * u),
        )
    )
    sheet.alpha_composite(
        fill(
            ImageChops.subtract(ear.mask(), hole.mask()),
            _solid(size, x + 60 * u, x + 296 * u, china),
        )
    )
    sheet.alpha_composite(fill(body.mask(), _solid(size, x - 196 * u, x + 196 * u, china)))
    sheet.alpha_composite(
        fill(band.mask(), _solid(size, x - 196 * u, x + 196 * u, "#2f5a55"), 0.96)
    )
    sheet.alpha_composite(fill(lip.mask(), mix(china, "#ffffff", 0.55)))
    sheet.alpha_composite(
        fill(
            brew.mask(),
            gradient(size, [(0, "#4a2413"), (0.5, "#6f3d20"), (1, "#3a1b0e")], across=True),
        )
    )
    return sheet


def _bottle(size: Size, foot: tuple[float, float]) -> Image.Image:
    u, (x, y) = unit(size), foot
    sprig, glass, sheen = Pen(size), Pen(size), Pen(size)
    frond(sprig, (x - 4 * u, y - 220 * u), -math.pi / 2 - 0.16, 420 * u, 0.3, 8)
    frond(sprig, (x + 4 * u, y - 220 * u), -math.pi / 2 + 0.42, 300 * u, 0.34, 7)
    glass.box(x - 70 * u, y - 170 * u, x + 70 * u, y + 22 * u, 38 * u)
    glass.box(x - 26 * u, y - 262 * u, x + 26 * u, y - 120 * u, 10 * u)
    sheen.box(x - 50 * u, y - 140 * u, x - 38 * u, y - 20 * u, 6 * u)
    sheet = fill(sprig.mask(), gradient(size, [(0, "#6f8f6c"), (0.7, "#3e6450"), (1, "#2f5148")]))
    sheet.alpha_composite(
        paper(
            glass.mask(),
            _solid(size, x - 70 * u, x + 70 * u, "#3f6f78"),
            shadow=18 * u,
            depth=0.35,
            lift=(14 * u, 8 * u),
        )
    )
    sheet.alpha_composite(fill(sheen.mask(3 * u), "#ffffff", 0.5))
    return sheet


def _steam(size: Size, foot: tuple[float, float], seed: int) -> Layer:
    """Three wisps that rise and curl; a loop."""
    rng = np.random.default_rng(seed)
    u = unit(size) / 4
    small = (size[0] // 4, size[1] // 4)
    x0, y0 = foot[0] / 4, foot[1] / 4
    phases = rng.random(3)

    def draw(time: float) -> Image.Image:
        ys, xs = np.mgrid[0 : small[1], 0 : small[0]]
        total = np.zeros((small[1], small[0]))
        tall = 430 * u
        rise = (y0 - ys) / tall
        inside = np.clip(rise, 0, 1)
        for index, phase in enumerate(phases):
            bend = np.sin(2 * math.pi * (1.15 * inside - time + phase)) * (8 + 74 * inside) * u
            curl = np.sin(2 * math.pi * (2.3 * inside - 2 * time + phase * 3)) * 22 * inside * u
            middle = x0 + (index - 1) * 62 * u + bend + curl
            thick = (11 + 42 * inside) * u
            body = (
                np.exp(-(((xs - middle) / thick) ** 2))
                * (inside * 9).clip(0, 1)
                * (1 - inside) ** 1.3
            )
            total += np.where((rise > 0) & (rise < 1), body, 0)
        return mist(total, "#fffaf2", 0.52).resize(size, Image.Resampling.BICUBIC)

    return draw


def pottery(size: Size, seed: int) -> list[Layer]:
    """Three vessels before two arches, the craft shelf of the shop."""
    u, (width, height) = unit(size), size
    wall = gradient(size, [(0, "#ead3bd"), (1, "#dcb897")])
    for x, half, top, tone in ((0.30, 0.20, 0.20, "#c97b5b"), (0.71, 0.215, 0.13, "#2f5d5a")):
        arch = Pen(size)
        r = half * width
        arch.ellipse(x * width, top * height + r, r, r)
        arch.box(x * width - r, top * height + r, x * width + r, height)
        wall.alpha_composite(
            paper(
                arch.mask(),
                gradient(size, [(0, tone), (1, mix(tone, "#f3dfc8", 0.25))]),
                shadow=18 * u,
                depth=0.22,
                lift=(6 * u, 10 * u),
            )
        )
    wall.alpha_composite(window_light(size, -0.3, 0.22))
    shelf = Pen(size)
    shelf.box(-9, height * 0.80, width + 9, height + 9)
    wall.alpha_composite(
        paper(
            shelf.mask(),
            gradient(size, [(0, "#f1dfc8"), (0.8, "#f6e8d4"), (1, "#c79f7c")]),
            shadow=20 * u,
            depth=0.22,
        )
    )
    stems = Pen(size)
    for angle, length, bend in ((-0.35, 430, 0.25), (0.02, 520, -0.12), (0.4, 400, -0.3)):
        frond(
            stems, (width * 0.70, height * 0.46), -math.pi / 2 + angle, length * u * 0.78, bend, 8
        )
    wall.alpha_composite(
        paper(
            stems.mask(),
            gradient(size, [(0, "#e8d9b4"), (0.5, "#c9b27c"), (1, "#a58a55")]),
            shadow=9 * u,
            depth=0.25,
            lift=(5 * u, 6 * u),
        )
    )
    profiles = [
        (
            0.70,
            0.85,
            400,
            [(0, 52), (0.1, 46), (0.22, 60), (0.55, 128), (0.82, 112), (1, 74)],
            "#d9a441",
        ),
        (
            0.29,
            0.87,
            300,
            [(0, 84), (0.08, 78), (0.3, 116), (0.62, 134), (0.9, 96), (1, 82)],
            "#e9dcc7",
        ),
        (0.475, 0.905, 150, [(0, 118), (0.3, 112), (0.7, 84), (0.93, 52), (1, 58)], "#34495f"),
    ]
    for place, foot, tall, profile, tone in profiles:
        wall.alpha_composite(
            _vessel(
                size, place * width, foot * height, tall * u, [(s, h * u) for s, h in profile], tone
            )
        )
    wall.alpha_composite(leaf_shadow(size, seed, 0.13))
    return [still(wall), still(grain(size, seed, 9))]


def _vessel(
    size: Size, x: float, foot: float, tall: float, profile: list[tuple[float, float]], tone: str
) -> Image.Image:
    u = unit(size)
    shares = np.linspace(0, 1, 80)
    knots, halves = [s for s, _ in profile], [h for _, h in profile]
    smooth = np.convolve(
        np.pad(np.interp(shares, knots, halves), 6, mode="edge"), np.ones(13) / 13, "valid"
    )
    outline = [
        (half, foot - tall + tall * share) for share, half in zip(shares, smooth, strict=True)
    ]
    body, mouth, thrown, rings = Pen(size), Pen(size), Pen(size), Pen(size)
    body.polygon([*((x - h, y) for h, y in outline), *((x + h, y) for h, y in reversed(outline))])
    body.ellipse(x, foot, smooth[-1], smooth[-1] * 0.16)
    mouth.ellipse(x, foot - tall, smooth[0], smooth[0] * 0.2)
    widest = float(smooth.max())
    thrown.polygon(
        [
            (x - widest * 0.5, foot),
            (x + widest * 0.8, foot - 8 * u),
            (x + widest * 2.3, foot + 44 * u),
            (x + widest * 0.5, foot + 56 * u),
        ]
    )
    for at in (34, 37, 41):
        half, y = outline[at]
        rings.line(
            [(x + half * s, y + half * 0.10 * (1 - s * s)) for s in np.linspace(-1, 1, 40)], 3 * u
        )
    sheet = fill(thrown.mask(16 * u), "#3a2026", 0.34)
    sheet.alpha_composite(fill(body.mask(), _solid(size, x - widest, x + widest, tone)))
    sheet.alpha_composite(
        fill(ImageChops.multiply(rings.mask(), body.mask()), mix(tone, "#ffffff", 0.4), 0.55)
    )
    sheet.alpha_composite(fill(mouth.mask(), mix(tone, "#1d1418", 0.62)))
    return sheet
