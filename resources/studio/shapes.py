"""Shapes that more than one scene draws: leaf, frond, bean, boat, pine."""

import math

import numpy as np
from PIL import Image

from resources.studio.canvas import Pen, Size, fill, mix, paper


def leaf(
    pen: Pen, foot: tuple[float, float], angle: float, length: float, width: float, bend: float = 0
) -> None:
    """An almond-shaped leaf from `foot` in direction `angle` (radians, up is -pi/2)."""
    spine, left, right = [], [], []
    for share in np.linspace(0, 1, 24):
        turn = angle + bend * share
        x = foot[0] + length * share * math.cos(turn)
        y = foot[1] + length * share * math.sin(turn)
        half = width / 2 * math.sin(math.pi * share**0.8) ** 0.9
        spine.append((x, y))
        left.append((x - half * math.sin(turn), y + half * math.cos(turn)))
        right.append((x + half * math.sin(turn), y - half * math.cos(turn)))
    pen.polygon([*left, *reversed(right)])


def frond(
    pen: Pen, foot: tuple[float, float], angle: float, length: float, bend: float, leaves: int = 9
) -> None:
    """A stem with paired leaves that grow smaller towards its tip."""
    points = []
    for share in np.linspace(0, 1, 40):
        turn = angle + bend * share
        points.append(
            (foot[0] + length * share * math.cos(turn), foot[1] + length * share * math.sin(turn))
        )
    pen.taper(points, length * 0.016, length * 0.005)
    for index in range(leaves):
        share = 0.2 + 0.8 * index / leaves
        at = points[int(share * 39)]
        size = min(1.75 / leaves, 0.26) * length * math.sin(math.pi * (0.25 + 0.62 * share))
        turn = angle + bend * share * 1.4
        for side in (-1, 1):
            leaf(pen, at, turn + side * 1.0, size, size * 0.31, -side * 0.4)
    leaf(pen, points[-1], angle + bend * 1.3, length * 0.13, length * 0.04)


def bean(
    size: Size, at: tuple[float, float], length: float, turn: float, colour: str
) -> Image.Image:
    """One roasted bean with its seam."""
    pen, seam = Pen(size), Pen(size)
    points, curve = [], []
    for a in np.linspace(0, 2 * math.pi, 48):
        dx, dy = length * math.cos(a), length * 0.68 * math.sin(a)
        points.append(
            (
                at[0] + dx * math.cos(turn) - dy * math.sin(turn),
                at[1] + dx * math.sin(turn) + dy * math.cos(turn),
            )
        )
    for s in np.linspace(-0.86, 0.86, 24):
        dx, dy = length * s, length * 0.13 * math.sin(s * 3.6)
        curve.append(
            (
                at[0] + dx * math.cos(turn) - dy * math.sin(turn),
                at[1] + dx * math.sin(turn) + dy * math.cos(turn),
            )
        )
    pen.polygon(points)
    seam.line(curve, length * 0.13)
    sheet = paper(
        pen.mask(), colour, shadow=length * 0.2, depth=0.4, lift=(-length * 0.12, length * 0.2)
    )
    sheet.alpha_composite(fill(seam.mask(), mix(colour, "#120805", 0.6)))
    return sheet


def boat(pen: Pen, x: float, y: float, scale: float, lean: float = 0) -> None:
    """A small sailing boat, its water line at (x, y)."""

    def at(dx: float, dy: float) -> tuple[float, float]:
        return x + scale * (dx - dy * lean), y + scale * dy

    pen.polygon([at(-34, -9), at(36, -9), at(24, 3), at(-24, 3)])
    sail = [at(3, -96 + 84 * t) if t else at(3, -96) for t in (0, 1)]
    bow = [at(3 + 33 * math.sin(t * math.pi / 2), -96 + 84 * t) for t in np.linspace(0, 1, 12)]
    pen.polygon([*sail[::-1], *bow])
    pen.polygon([at(-2, -80), at(-2, -13), at(-30, -13)])


def pine(pen: Pen, x: float, base: float, height: float, rng: np.random.Generator) -> None:
    """One pine with drooping, slightly uneven branches; its foot stands at (x, base)."""
    tiers = max(7, int(height / 13))
    reach = height * rng.uniform(0.15, 0.2)
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for tier in range(tiers):
        share = (tier + 1) / tiers
        y = base - height + height * 0.93 * share
        droop = height * 0.035
        for side, points in ((-1, left), (1, right)):
            out = reach * share**0.85 * rng.uniform(0.72, 1.12)
            points += [(x + side * out, y + droop), (x + side * out * 0.42, y - droop * 0.3)]
    top = (x, base - height * 1.04)
    pen.polygon([top, *left, *reversed(right)])
    pen.box(x - height * 0.012, base - height * 0.1, x + height * 0.012, base + height * 0.08)
