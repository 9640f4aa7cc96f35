"""Posters of the brand: botanical prints, cut-outs, lettered sheets, the steps from bean to cup."""

import math

import numpy as np
from PIL import Image

from resources.studio.canvas import (
    Layer,
    Pen,
    Size,
    fading,
    fill,
    gradient,
    grain,
    letters,
    mix,
    paper,
    plain,
    still,
    swing,
    unit,
)
from resources.studio.shapes import bean, boat, frond, leaf, pine

CREAM, INK, NAVY, PINE, SAGE = "#f4ebdb", "#22302f", "#223a5e", "#2f5148", "#8fa68b"
CLAY, OCHRE, ROSE, TEAL = "#c8694a", "#dba24a", "#e3b3a0", "#3d7f86"


def eased(share: float) -> float:
    """`share` clipped to 0 and 1, with a soft start and a soft end."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def botanical(
    size: Size, title: str, ground: str, seed: int, *, growing: bool = False
) -> list[Layer]:
    """A herbarium sheet; where `growing`, the stems rise one after the other and stay."""
    u, (width, height) = unit(size), size
    foot = height * 0.80
    stems = [
        (0.30, -0.10, 560, 0.16, 9, SAGE),
        (0.72, 0.12, 600, -0.2, 10, "#6d8f7b"),
        (0.41, -0.02, 730, -0.10, 11, PINE),
        (0.60, 0.05, 690, 0.12, 10, TEAL),
        (0.50, 0.0, 500, 0.06, 8, OCHRE),
        (0.20, -0.2, 380, 0.3, 7, CLAY),
        (0.81, 0.2, 400, -0.3, 7, ROSE),
    ]
    sheet = plain(size, ground)
    oval = Pen(size)
    oval.ellipse(width / 2, height * 0.455, 372 * u, 400 * u)
    sheet.alpha_composite(fill(oval.mask(), mix(ground, OCHRE, 0.22)))

    def draw(time: float) -> Image.Image:
        picture = sheet.copy()
        for index, (place, lean, length, bend, leaves, tone) in enumerate(stems):
            grown = eased((time + 0.24 - 0.07 * index) / 0.5) if growing else 1.0
            if grown < 0.03:
                continue
            sway = 0.02 * swing(time, 2, index / 7) * grown
            pen = Pen(size)
            frond(
                pen,
                (width * (0.5 + 0.42 * (place - 0.5)), foot),
                -math.pi / 2 + lean * 2.6,
                length * u * grown,
                bend + sway,
                leaves,
            )
            paint = gradient(
                size, [(0, mix(tone, "#ffffff", 0.18)), (1, mix(tone, "#101c1c", 0.14))]
            )
            picture.alpha_composite(
                paper(pen.mask(), paint, shadow=7 * u, depth=0.22, lift=(4 * u, 6 * u))
            )
        return picture

    text = letters(
        size, title, (width / 2, height * 0.885), 62 * u, INK, weight="SemiBold", tracking=-0.01
    )
    text.alpha_composite(
        letters(
            size,
            "HARBOUR & PINE",
            (width / 2, height * 0.927),
            21 * u,
            INK,
            weight="Medium",
            tracking=0.34,
        )
    )
    return [
        draw,
        fading(text, lambda t: eased(t * 3.2 - 1.2) if growing else 1.0),
        still(grain(size, seed, 9)),
    ]


def brand_poster(size: Size, seed: int) -> list[Layer]:
    """The mark of the brand: a sun of stripes in the sea, pines, a boat, and the name."""
    u, (width, height) = unit(size), size
    sheet = gradient(size, [(0, "#1e3a4f"), (1, "#172b40")])
    frame, sun, sea = Pen(size), Pen(size), Pen(size)
    frame.box(width * 0.07, width * 0.07, width * 0.93, height * 0.69, 430 * u)
    window = frame.mask()
    view = gradient(size, [(0, "#f1c98c"), (0.3, "#eba06f"), (0.48, "#d97560"), (1, "#d97560")])
    horizon = height * 0.47
    sun.ellipse(width / 2, horizon, 238 * u, 238 * u)
    view.alpha_composite(fill(sun.mask(), "#fbe7bd"))
    sea.box(0, horizon, width, height)
    view.alpha_composite(
        fill(
            sea.mask(),
            gradient(size, [(0, "#2c6470"), (0.47, "#2f6f78"), (0.7, "#173f50"), (1, "#173f50")]),
        )
    )
    stripes, woods, sail = Pen(size), Pen(size), Pen(size)
    for index in range(9):
        half = u * 236 * math.sqrt(max(0.02, 1 - (index / 9.5) ** 2)) * (0.94 if index % 2 else 1)
        y = horizon + (14 + 26 * index) * u
        stripes.box(width / 2 - half, y, width / 2 + half, y + (12 - index) * u, 6 * u)
    view.alpha_composite(fill(stripes.mask(), "#fbe7bd", 0.9))
    rng = np.random.default_rng(seed)
    for x, tall in (
        (0.13, 330),
        (0.19, 260),
        (0.25, 180),
        (0.085, 240),
        (0.87, 350),
        (0.81, 240),
        (0.92, 280),
        (0.755, 160),
    ):
        pine(woods, width * x, horizon + 20 * u, tall * u, rng)
    for side, edge in ((0.0, 0.34), (1.0, 0.68)):
        woods.ellipse(width * side, horizon + 66 * u, width * abs(edge - side), 76 * u)
    view.alpha_composite(fill(woods.mask(), "#123541"))
    boat(sail, width * 0.57, horizon + 84 * u, 1.55 * u)
    view.alpha_composite(fill(sail.mask(), CREAM))
    sheet.alpha_composite(paper(window, view, shadow=20 * u, depth=0.5, lift=(0, 8 * u)))
    lines = [
        ("Harbour & Pine", 0.802, 124, "Bold", -0.03, CREAM),
        ("COFFEE   COAST   CRAFT", 0.866, 30, "SemiBold", 0.3, "#eba06f"),
        ("Quay 4, open from seven", 0.918, 27, "Regular", 0.02, "#9fb6bd"),
    ]
    for text, at, pixels, weight, tracking, tone in lines:
        sheet.alpha_composite(
            letters(
                size,
                text,
                (width / 2, height * at),
                pixels * u,
                tone,
                weight=weight,
                tracking=tracking,
            )
        )
    return [still(sheet), still(grain(size, seed, 9))]


def cut_outs(size: Size, seed: int) -> list[Layer]:
    """Leaves and sea shapes cut from coloured paper, six panels."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    sheet = plain(size, CREAM)
    grounds = [NAVY, OCHRE, "#e9d6c4", CLAY, "#dfe5d6", TEAL]
    shapes = [CREAM, CLAY, PINE, CREAM, NAVY, "#f2c9a8"]
    gap = 26 * u
    wide, tall = (width - 4 * gap) / 3, (height - 3 * gap) / 2
    for index in range(6):
        left, top = gap + (index % 3) * (wide + gap), gap + (index // 3) * (tall + gap)
        panel = Pen(size)
        panel.box(left, top, left + wide, top + tall, 4 * u)
        sheet.alpha_composite(
            paper(panel.mask(), grounds[index], shadow=8 * u, depth=0.22, lift=(0, 4 * u))
        )
        pen = Pen(size)
        middle = (left + wide / 2, top + tall / 2)
        _CUTS[index](pen, middle, min(wide, tall), rng)
        sheet.alpha_composite(
            paper(pen.mask(), shapes[index], shadow=7 * u, depth=0.28, lift=(3 * u, 6 * u))
        )
    return [still(sheet), still(grain(size, seed, 10))]


def _seaweed(pen: Pen, at: tuple[float, float], span: float, rng: np.random.Generator) -> None:
    base = (at[0], at[1] + span * 0.62)
    pen.taper(
        [
            (base[0] + span * 0.05 * math.sin(4 * s), base[1] - span * 1.2 * s)
            for s in np.linspace(0, 1, 60)
        ],
        span * 0.07,
        span * 0.04,
    )
    for index in range(6):
        y = base[1] - span * (0.2 + 0.17 * index)
        for side in (-1, 1):
            reach = span * rng.uniform(0.26, 0.36) * (1 - 0.08 * index)
            arm = [
                (at[0] + side * reach * math.sin(s * 1.5), y - reach * 0.85 * s**1.4)
                for s in np.linspace(0, 1, 30)
            ]
            pen.taper(arm, span * 0.065, span * 0.105)


def _fish(pen: Pen, at: tuple[float, float], span: float, _rng: np.random.Generator) -> None:
    for row, side in ((-0.42, 1), (0.0, -1), (0.42, 1)):
        x, y = at[0] - side * span * 0.30, at[1] + row * span
        leaf(pen, (x, y), 0 if side > 0 else math.pi, span * 0.66, span * 0.26)
        tail = x + side * span * 0.05
        pen.polygon(
            [
                (tail + side * span * 0.06, y),
                (tail - side * span * 0.12, y - span * 0.11),
                (tail - side * span * 0.07, y),
                (tail - side * span * 0.12, y + span * 0.11),
            ]
        )


def _sprig(pen: Pen, at: tuple[float, float], span: float, _rng: np.random.Generator) -> None:
    frond(pen, (at[0], at[1] + span * 0.66), -math.pi / 2 - 0.06, span * 1.15, 0.12, 8)


def _suns(pen: Pen, at: tuple[float, float], span: float, _rng: np.random.Generator) -> None:
    pen.ellipse(at[0], at[1], span * 0.19, span * 0.19)
    for index in range(12):
        angle = 2 * math.pi * index / 12
        foot = (at[0] + span * 0.25 * math.cos(angle), at[1] + span * 0.25 * math.sin(angle))
        leaf(pen, foot, angle, span * (0.24 if index % 2 else 0.17), span * 0.085)


def _boats(pen: Pen, at: tuple[float, float], span: float, _rng: np.random.Generator) -> None:
    boat(pen, at[0] - span * 0.04, at[1] + span * 0.02, span * 0.0078)
    for row in range(3):
        y = at[1] + span * (0.2 + 0.15 * row)
        pen.line(
            [
                (at[0] + span * x, y + span * 0.03 * math.sin(x * 22 + row))
                for x in np.linspace(-0.36, 0.36, 60)
            ],
            span * 0.035,
        )


def _shells(pen: Pen, at: tuple[float, float], span: float, _rng: np.random.Generator) -> None:
    for index in range(9):
        angle = -math.pi / 2 + (index - 4) * 0.27
        leaf(
            pen,
            (at[0], at[1] + span * 0.30),
            angle,
            span * (0.72 - 0.03 * abs(index - 4)),
            span * 0.125,
        )
    pen.ellipse(at[0], at[1] + span * 0.31, span * 0.10, span * 0.06)


_CUTS = (_seaweed, _fish, _sprig, _suns, _boats, _shells)


def slow_mornings(size: Size, seed: int) -> list[Layer]:
    """Large letters over a field of roasted beans."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    sheet = gradient(size, [(0, "#e8b98d"), (1, "#d99a6c")])
    for row in range(13):
        for column in range(12):
            x = width * (column + 0.5 * (row % 2)) / 11 + rng.normal(0, 8) * u
            y = height * row / 12 + rng.normal(0, 8) * u
            if abs(y - height * 0.5) < height * 0.285:
                continue
            tone = mix("#5a2f1a", "#8a4f2c", rng.random())
            sheet.alpha_composite(bean(size, (x, y), 35 * u, rng.uniform(0, math.pi), tone))
    lines = [("Slow", 0.46, 250, -0.045), ("mornings", 0.635, 218, -0.045)]
    for text, at, pixels, tracking in lines:
        sheet.alpha_composite(
            letters(
                size,
                text,
                (width / 2, height * at),
                pixels * u,
                "#3a1c12",
                weight="Bold",
                tracking=tracking,
            )
        )
    note = letters(
        size,
        "HARBOUR & PINE   ROASTED BY THE QUAY",
        (width / 2, height * 0.708),
        23 * u,
        "#6b3620",
        weight="SemiBold",
        tracking=0.2,
    )
    sheet.alpha_composite(note)
    return [still(sheet), still(grain(size, seed, 9))]


def bean_to_cup(size: Size, step: int, seed: int) -> list[Layer]:
    """One of three sheets, 1 to 3: the branch, the roast, the cup."""
    u, (width, height) = unit(size), size
    grounds = ["#dfe5d3", "#f0d3b4", "#d5e2e2"]
    names = [
        ("Picked by hand", "Ripe cherries, one branch at a time."),
        ("Roasted slowly", "Small drums, fourteen quiet minutes."),
        ("Poured for you", "Every morning from seven, by the quay."),
    ]
    ground = grounds[step - 1]
    sheet = gradient(size, [(0, mix(ground, "#ffffff", 0.3)), (1, ground)])
    halo = Pen(size)
    halo.ellipse(width / 2, height * 0.43, 370 * u, 370 * u)
    tone = ["#f4ead0", "#e0925f", "#f3dcc0"][step - 1]
    sheet.alpha_composite(paper(halo.mask(), tone, shadow=20 * u, depth=0.12, lift=(0, 8 * u)))
    (_branch, _roast, _pour)[step - 1](sheet)
    title, line = names[step - 1]
    left = width * 0.09
    for text, at, pixels, weight in (
        (f"{step}", 0.115, 76, "Bold"),
        (title, 0.862, 92, "Bold"),
        (line, 0.912, 34, "Regular"),
    ):
        sheet.alpha_composite(
            letters(
                size,
                text,
                (left, height * at),
                pixels * u,
                INK if weight == "Bold" else "#55615d",
                weight=weight,
                tracking=-0.025 if weight == "Bold" else 0,
                anchor="left",
            )
        )
    dots = Pen(size)
    for index in (1, 2, 3):
        dots.ellipse(
            width * 0.91 - (3 - index) * 34 * u,
            height * 0.098,
            9 * u,
            9 * u,
            255 if index == step else 80,
        )
    sheet.alpha_composite(fill(dots.mask(), INK))
    return [still(sheet), still(grain(size, seed + step, 9))]


def _branch(sheet: Image.Image) -> None:
    size, u = sheet.size, unit(sheet.size)
    path = [
        (size[0] * (0.14 + 0.72 * s), size[1] * (0.60 - 0.34 * s + 0.05 * math.sin(5 * s)))
        for s in np.linspace(0, 1, 60)
    ]
    twig, shine = Pen(size), Pen(size)
    twig.taper(path, 20 * u, 8 * u)
    for index, at in enumerate((10, 21, 32, 43, 54)):
        for side in (-1, 1):
            blade, vein = Pen(size), Pen(size)
            angle = -0.5 + side * (0.95 + 0.05 * index)
            leaf(blade, path[at], angle, (300 - 26 * index) * u, (112 - 8 * index) * u, side * 0.25)
            vein.taper(
                [
                    (
                        path[at][0] + d * math.cos(angle + side * 0.25 * d / (300 * u)),
                        path[at][1] + d * math.sin(angle + side * 0.25 * d / (300 * u)),
                    )
                    for d in np.linspace(0, (240 - 22 * index) * u, 30)
                ],
                4 * u,
                1.5 * u,
            )
            tone = PINE if side < 0 else "#4f7d63"
            sheet.alpha_composite(
                paper(
                    blade.mask(),
                    gradient(size, [(0, mix(tone, "#ffffff", 0.2)), (1, tone)]),
                    shadow=10 * u,
                    depth=0.28,
                    lift=(4 * u, 8 * u),
                )
            )
            sheet.alpha_composite(fill(vein.mask(), "#b9cdb0", 0.7))
    sheet.alpha_composite(paper(twig.mask(), "#6b4630", shadow=6 * u, lift=(2 * u, 5 * u)))
    for at, dx, dy, tone in (
        (14, -6, 40, CLAY),
        (16, 46, 22, "#b5452f"),
        (26, 2, 44, "#d98a3d"),
        (28, 50, 28, CLAY),
        (38, -4, 42, "#b5452f"),
        (40, 44, 20, CLAY),
        (50, 8, 36, "#8fa34f"),
    ):
        cherry = Pen(size)
        x, y = path[at][0] + dx * u, path[at][1] + dy * u
        cherry.ellipse(x, y, 33 * u, 36 * u)
        shine.ellipse(x - 11 * u, y - 13 * u, 7 * u, 9 * u)
        sheet.alpha_composite(
            paper(cherry.mask(), tone, shadow=9 * u, depth=0.35, lift=(3 * u, 7 * u))
        )
    sheet.alpha_composite(fill(shine.mask(2 * u), "#ffffff", 0.65))


def _roast(sheet: Image.Image) -> None:
    size, u = sheet.size, unit(sheet.size)
    rng = np.random.default_rng(12)
    x0, y0 = size[0] / 2, size[1] * 0.43
    for ring, count in ((290, 18), (212, 13), (136, 8), (58, 4)):
        for index in range(count):
            angle = 2 * math.pi * index / count + ring
            at = (x0 + ring * u * math.cos(angle), y0 + ring * u * math.sin(angle))
            sheet.alpha_composite(
                bean(
                    size,
                    at,
                    45 * u,
                    angle + 0.7 + rng.normal(0, 0.12),
                    mix("#8a4a22", "#3a1a0d", ring / 300),
                )
            )


def _pour(sheet: Image.Image) -> None:
    size, u = sheet.size, unit(sheet.size)
    x, top = size[0] * 0.48, size[1] * 0.40
    body, ear, hole, dish, lip, brew, steam = (Pen(size) for _ in range(7))
    side = [(205 * u * (1 - 0.5 * s**3), top + 290 * u * s) for s in np.linspace(0, 1, 40)]
    body.polygon([*((x - h, y) for h, y in side), *((x + h, y) for h, y in reversed(side))])
    ear.ellipse(x + 205 * u, top + 115 * u, 98 * u, 94 * u)
    hole.ellipse(x + 205 * u, top + 115 * u, 58 * u, 55 * u)
    mask = ear.mask()
    mask.paste(0, mask=hole.mask())
    dish.ellipse(x, top + 302 * u, 300 * u, 36 * u)
    lip.ellipse(x, top, 205 * u, 40 * u)
    brew.ellipse(x, top + 4 * u, 186 * u, 31 * u)
    for index in (-1, 0, 1):
        steam.taper(
            [
                (x + index * 82 * u + 26 * u * math.sin(5.5 * s + index), top - (60 + 190 * s) * u)
                for s in np.linspace(0, 1, 60)
            ],
            16 * u,
            9 * u,
        )
    for pen_mask, tone in ((dish.mask(), "#f7efe0"), (mask, TEAL), (body.mask(), TEAL)):
        sheet.alpha_composite(
            paper(
                pen_mask,
                gradient(
                    size,
                    [
                        (0, mix(tone, "#ffffff", 0.12)),
                        (0.35, mix(tone, "#ffffff", 0.12)),
                        (0.62, mix(tone, "#0d1f2a", 0.2)),
                        (1, tone),
                    ],
                ),
                shadow=14 * u,
                depth=0.3,
                lift=(4 * u, 9 * u),
            )
        )
    sheet.alpha_composite(fill(lip.mask(), "#8fbcc0"))
    sheet.alpha_composite(fill(brew.mask(), "#55301c"))
    sheet.alpha_composite(fill(steam.mask(), "#ffffff", 0.85))
    mark = Pen(size)
    rng = np.random.default_rng(3)
    for dx, tall in ((-44, 100), (0, 140), (44, 100)):
        pine(mark, x + dx * u, top + 205 * u, tall * u, rng)
    sheet.alpha_composite(fill(mark.mask(), CREAM))
