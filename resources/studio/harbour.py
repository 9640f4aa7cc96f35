"""Scene of the harbour: gabled houses at blue hour, their lamps, and all of it in the water."""

import math

import numpy as np
from PIL import Image, ImageFilter

from resources.studio.canvas import (
    Layer,
    Pen,
    Size,
    Stops,
    below,
    fading,
    fill,
    gradient,
    grain,
    mix,
    paper,
    ridge,
    still,
    swing,
    unit,
    wave,
)
from resources.studio.coast import clouds
from resources.studio.shapes import boat


def harbour(size: Size, sky: Stops, seed: int) -> list[Layer]:
    """A row of gabled houses at blue hour, lamps coming on, the whole row in the water."""
    rng = np.random.default_rng(seed)
    u, (width, height) = unit(size), size
    quay = int(height * 0.62)
    walls = ["#c8694a", "#e0b15c", "#7f9c8a", "#d9c6a5", "#3f5f7a", "#b5523f", "#e8d7b4", "#587f78"]
    day, lit = Image.new("RGBA", size), [Pen(size), Pen(size)]
    scale = u * (1 if height > width else 0.82)
    x, index = -rng.uniform(10, 60) * scale, int(rng.integers(8))
    while x < width:
        wide = scale * rng.uniform(104, 158)
        tall = scale * rng.uniform(190, 330)
        _house(day, lit, (x, quay, wide, tall), walls[index % len(walls)], rng)
        x, index = x + wide - 1, index + 1
    back = quay - 150 * u - 90 * u * np.abs(ridge(width, 2.2, rng, 4))
    stones = Pen(size)
    stones.box(0, quay - 5 * u, width, quay + 24 * u)
    glow = [fill(pen.mask(), "#ffd98a") for pen in lit]
    halo = [fill(pen.mask(9 * u), "#ffbf66", 0.8) for pen in lit]
    town: list[Layer] = [
        still(gradient(size, [(p * 0.62, c) for p, c in sky] + [(1, sky[-1][1])])),
        clouds(size, rng, mix(sky[-1][1], "#ffffff", 0.4), (0.02, 0.34), 0.5),
        still(fill(below(back, size), mix(sky[0][1], sky[-1][1], 0.35))),
        still(day),
        still(fill(stones.mask(), "#2b3145")),
    ]
    for which in (0, 1):

        def shine(time: float, late: int = which) -> float:
            return (
                1.0
                if not late
                else 0.25 + 0.75 * min(1.0, max(0.0, 0.5 + 1.6 * -math.cos(2 * math.pi * time)))
            )

        town += [fading(halo[which], shine), fading(glow[which], shine)]
    rows = np.arange(height - quay - int(20 * u))
    sway = wave(len(rows), len(rows) / (14 * u), rng)
    tint = gradient(size, [(0, "#1c2a4c"), (0.62, "#26365a"), (1, "#0c1430")])

    def with_water(time: float) -> Image.Image:
        picture = town[0](time).copy()
        for layer in town[1:]:
            picture.alpha_composite(layer(time))
        top = quay + int(20 * u)
        source = np.asarray(picture)[quay - 1 : quay - 1 - len(rows) : -1]
        if len(source) < len(rows):
            source = np.pad(source, ((0, len(rows) - len(source)), (0, 0), (0, 0)), mode="edge")
        shift = (
            sway * (2 + rows / (16 * u)) * u * 1.2 * np.sin(2 * math.pi * time + rows / (11 * u))
        ).astype(int)
        columns = np.clip(np.arange(width)[None, :] + shift[:, None], 0, width - 1)
        mirror = Image.fromarray(
            np.ascontiguousarray(source[np.arange(len(rows))[:, None], columns])
        )
        mirror = mirror.filter(ImageFilter.GaussianBlur(1.6 * u))
        water = tint.crop((0, top, width, top + len(rows)))
        picture.paste(Image.blend(mirror, water, 0.42), (0, top))
        return picture

    def boats(time: float) -> Image.Image:
        pen = Pen(size)
        for place, down, size_of, phase in ((0.2, 118, 1.25, 0.1), (0.74, 74, 0.85, 0.5)):
            y = quay + down * u * (1 if height > width else 0.8) + 2 * u * swing(time, 2, phase)
            boat(pen, width * place, y, size_of * u, 0.03 * swing(time, 2, phase))
        return fill(pen.mask(), "#f0e6d2")

    return [with_water, boats, still(grain(size, seed, 7))]


def _house(
    sheet: Image.Image,
    lit: list[Pen],
    place: tuple[float, float, float, float],
    wall: str,
    rng: np.random.Generator,
) -> None:
    x, foot, wide, tall = place
    size = sheet.size
    front, roof, panes, door = Pen(size), Pen(size), Pen(size), Pen(size)
    peak = wide * rng.uniform(0.42, 0.62)
    eaves = foot - tall
    front.polygon(
        [(x, foot), (x, eaves), (x + wide / 2, eaves - peak), (x + wide, eaves), (x + wide, foot)]
    )
    thick = wide * 0.06
    roof.polygon(
        [
            (x - thick, eaves + thick),
            (x + wide / 2, eaves - peak - thick),
            (x + wide + thick, eaves + thick),
            (x + wide + thick, eaves - thick * 0.4),
            (x + wide / 2, eaves - peak - thick * 2.6),
            (x - thick, eaves - thick * 0.4),
        ]
    )
    roof.box(x + wide * 0.7, eaves - peak * 0.95, x + wide * 0.82, eaves - peak * 0.25)
    across = 2 if wide < size[0] * 0.13 else 3
    w, h = wide / (across * 2.1), wide * 0.25
    floors = max(2, int(tall / (h * 1.95)))
    for floor in range(floors):
        top = eaves + h * 0.35 + floor * (tall - h * 0.5) / floors
        for column in range(across):
            left = x + wide * (column + 0.5) / across - w / 2
            if floor == floors - 1 and column == 0:
                door.box(left, top, left + w, foot)
                continue
            panes.box(left, top, left + w, top + h, 2)
            if rng.random() < 0.55:
                lit[int(rng.random() < 0.6)].box(
                    left + 1.5, top + 1.5, left + w - 1.5, top + h - 1.5, 1
                )
    panes.ellipse(x + wide / 2, eaves - peak * 0.3, w * 0.36, w * 0.36)
    shade = gradient(
        size,
        [
            (0, mix(wall, "#2a2f55", 0.18)),
            ((foot - tall) / size[1], mix(wall, "#2a2f55", 0.12)),
            (foot / size[1], mix(wall, "#1b2145", 0.5)),
            (1, wall),
        ],
    )
    sheet.alpha_composite(fill(front.mask(), shade))
    sheet.alpha_composite(paper(roof.mask(), mix(wall, "#1a1d38", 0.72), shadow=4, lift=(0, 4)))
    sheet.alpha_composite(fill(panes.mask(), "#26304f"))
    sheet.alpha_composite(fill(door.mask(), mix(wall, "#141833", 0.8)))
