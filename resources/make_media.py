"""Draw, play and encode the practice media library into `resources/media/`.

A developer's tool: `python -m resources.make_media [NAME ...]` makes everything, or only the named
items, and writes `library.json`. The pictures are computed from seeds alone, so the same versions
of numpy, Pillow and ffmpeg give the same files. What each item shows is catalogued here; how it is
drawn lives in `resources/studio/`.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

import resources
from resources.studio import coast, harbour, land, prints, table
from resources.studio.canvas import Layer, Size, compose
from resources.studio.film import FRAMES_PER_SECOND, write_photo, write_reel
from resources.studio.sound import Tune

PORTRAIT, SQUARE, WIDE, REEL = (1080, 1350), (1080, 1080), (1080, 566), (720, 1280)
Scene = Callable[[Size], Sequence[Layer]]


@dataclass(frozen=True)
class Photo:
    """One still picture."""

    name: str
    title: str
    alt_text: str
    size: Size
    scene: Scene


@dataclass(frozen=True)
class Reel:
    """One short film in 9:16 with its music; the scene is drawn once for every frame."""

    name: str
    title: str
    alt_text: str
    seconds: float
    scene: Scene
    tune: Tune


@dataclass(frozen=True)
class Carousel:
    """Three pictures that belong together."""

    name: str
    title: str
    alt_text: str
    pages: Callable[[], list[Image.Image]]


Item = Photo | Reel | Carousel

DAWN = [(0.0, "#f3d9c6"), (0.5, "#f0b9a2"), (1.0, "#d98f92")]
EVENING = [(0.0, "#2f2a55"), (0.4, "#8a4f78"), (0.75, "#e4796a"), (1.0, "#f6c98f")]
DUSK = [(0.0, "#27335c"), (0.45, "#7c628f"), (0.78, "#e58f7b"), (1.0, "#f9cf96")]
GOLDEN = [(0.0, "#3f6f8f"), (0.45, "#9fb8b4"), (0.78, "#f0d09a"), (1.0, "#fbe3ae")]
DUSK_WATER = [(0.0, "#a5697a"), (0.3, "#4d4a74"), (1.0, "#141c3a")]
GOLDEN_WATER = [(0.0, "#c9b98f"), (0.3, "#4f8088"), (1.0, "#10333f")]
BLUE_HOUR = [(0.0, "#2b3d70"), (0.6, "#8b84ac"), (1.0, "#f0b79a")]
NIGHTFALL = [(0.0, "#141d44"), (0.6, "#4d4f86"), (1.0, "#c98aa0")]
MORNING_MIST = [(0.0, "#cfdcd8"), (0.5, "#e9ede4"), (1.0, "#dfe8e2")]
WINTER = [(0.0, "#8fa6c4"), (0.5, "#d5dce8"), (1.0, "#e6e6ee")]
TIDE = ["#f4e7d3", "#f0c9a4", "#e39a7b", "#c4707a", "#8a5480", "#543f76", "#2c2c5a"]

CATALOGUE: tuple[Item, ...] = (
    Photo(
        "dawn-ridges",
        "Dawn over the ridges",
        "Mountain ranges cut from paper, rose to indigo, before a pale rising sun.",
        PORTRAIT,
        lambda size: land.paper_mountains(size, DAWN, "#22244a", "#e0a59c", "#fff0d4", 3),
    ),
    Photo(
        "last-light",
        "Last light",
        "The sun stands low over quiet water; three small boats, dark pines in front.",
        PORTRAIT,
        lambda size: coast.sea_at_dusk(size, DUSK, DUSK_WATER, "#ffc47e", 4),
    ),
    Photo(
        "pines-in-mist",
        "Pines in the mist",
        "Wooded ridges step out of pale green morning mist.",
        PORTRAIT,
        lambda size: land.pines_in_mist(size, MORNING_MIST, "#a3bdb4", "#11302f", 5),
    ),
    Photo(
        "flat-white",
        "A flat white",
        "A cup from above with a heart poured in the milk, beans and a brass spoon beside it.",
        SQUARE,
        lambda size: table.coffee_from_above(size, "#b98a6d", "#f3ece2", 3),
    ),
    Photo(
        "window-seat",
        "The window seat",
        "A steaming cup on a wooden sill, a green sprig in a blue bottle, sun on the wall.",
        PORTRAIT,
        lambda size: table.cup_by_window(size, "#d8b59a", "#8a5a3f", "#f4ede1", 5),
    ),
    Photo(
        "coastal-herbs",
        "Coastal herbs",
        "A botanical print: seven sprigs in greens, ochre and clay on cream paper.",
        PORTRAIT,
        lambda size: prints.botanical(size, "Coastal herbs", "#f4ebdb", 2),
    ),
    Photo(
        "the-mark",
        "Harbour & Pine",
        "Poster: a striped sun sinks into the sea between pines; below, the name Harbour & Pine.",
        PORTRAIT,
        lambda size: prints.brand_poster(size, 2),
    ),
    Photo(
        "keeper-of-the-bay",
        "Keeper of the bay",
        "A red and white lighthouse throws its beam over a bay at night.",
        PORTRAIT,
        lambda size: coast.lighthouse(size, 2),
    ),
    Photo(
        "quayside",
        "Quayside",
        "A row of coloured gabled houses at blue hour and their reflection in the harbour.",
        WIDE,
        lambda size: harbour.harbour(size, BLUE_HOUR, 6),
    ),
    Photo(
        "over-the-dunes",
        "Over the dunes",
        "Sand dunes with marram grass, a strip of teal sea, gulls in a bright sky.",
        WIDE,
        lambda size: coast.dunes(size, 9),
    ),
    Photo(
        "from-the-kiln",
        "From the kiln",
        "Three hand-thrown vessels before a clay and a green arch, leaf shadows on the wall.",
        SQUARE,
        lambda size: table.pottery(size, 8),
    ),
    Photo(
        "cut-paper",
        "Cut paper",
        "Six panels of cut paper: seaweed, fish, a sprig, a sun, a boat, a shell.",
        SQUARE,
        lambda size: prints.cut_outs(size, 4),
    ),
    Photo(
        "northern-lights",
        "Northern lights",
        "Green and violet northern lights over black pines, mirrored in a still lake.",
        PORTRAIT,
        lambda size: land.northern_lights(size, 8),
    ),
    Photo(
        "slow-mornings",
        "Slow mornings",
        "Poster: the words Slow mornings between rows of roasted coffee beans.",
        SQUARE,
        lambda size: prints.slow_mornings(size, 4),
    ),
    Reel(
        "evening-sail",
        "Evening sail",
        "Light glitters on the water while small boats rock under a golden sky.",
        6.0,
        lambda size: coast.sea_at_dusk(size, GOLDEN, GOLDEN_WATER, "#ffe3a0", 14),
        Tune(
            ((57, 60, 64, 67), (53, 57, 60, 64), (60, 64, 67, 71), (55, 59, 62, 69)),
            (0, 4, 2, 5, 3, 4),
            0.42,
            1,
        ),
    ),
    Reel(
        "paper-peaks",
        "Paper peaks",
        "Paper mountains slide against each other while the sun climbs.",
        6.0,
        lambda size: land.paper_mountains(size, EVENING, "#1d1840", "#d5807c", "#ffe2b4", 11),
        Tune(
            ((62, 66, 69, 73), (59, 62, 66, 69), (55, 59, 62, 66), (57, 61, 64, 71)),
            (0, 2, 4, 3, 5, 2, 4, 3),
            0.36,
            2,
        ),
    ),
    Reel(
        "first-cup",
        "The first cup",
        "Steam curls from a cup on a sunlit sill.",
        5.0,
        lambda size: table.cup_by_window(size, "#b9c2ae", "#7d5238", "#f6efe2", 15),
        Tune(
            ((60, 64, 67, 71), (57, 60, 64, 67), (65, 69, 72, 76), (55, 59, 62, 65)),
            (0, 3, 2, -1, 4, 2),
            0.5,
            3,
        ),
    ),
    Reel(
        "first-snow",
        "First snow",
        "Snow falls on ridges of pine in blue winter light.",
        6.0,
        lambda size: land.pines_in_mist(size, WINTER, "#a9b6cc", "#1b2a44", 21, snow=True),
        Tune(
            ((64, 67, 71, 74), (60, 64, 67, 71), (62, 66, 69, 74), (59, 62, 66, 71)),
            (4, -1, 3, 5, -1, 2),
            0.3,
            4,
        ),
    ),
    Reel(
        "night-watch",
        "Night watch",
        "The beam of a lighthouse goes round under the stars.",
        6.0,
        lambda size: coast.lighthouse(size, 32),
        Tune(
            ((52, 59, 64, 67), (48, 55, 60, 64), (55, 59, 62, 67), (50, 57, 62, 66)),
            (0, 2, 3, 5, 4, 2),
            0.38,
            5,
        ),
    ),
    Reel(
        "growing-season",
        "The growing season",
        "Sprigs grow one after the other on a sheet of cream paper.",
        6.0,
        lambda size: prints.botanical(size, "The growing season", "#eef0e2", 12, growing=True),
        Tune(
            ((65, 69, 72, 76), (62, 65, 69, 72), (58, 62, 65, 69), (60, 64, 67, 72)),
            (0, 1, 2, 3, 4, 5, 6, 5),
            0.46,
            6,
        ),
    ),
    Reel(
        "paper-tide",
        "Paper tide",
        "Waves of stacked paper run to and fro under a red sun.",
        7.0,
        lambda size: coast.paper_tide(size, TIDE, 1, sun="#e4573d"),
        Tune(
            ((57, 61, 64, 68), (54, 57, 61, 64), (50, 54, 57, 61), (52, 56, 59, 66)),
            (0, 3, 5, 2, 4, 3),
            0.34,
            7,
        ),
    ),
    Reel(
        "lamps-on-the-quay",
        "Lamps on the quay",
        "Windows light up along a row of harbour houses and shimmer in the water.",
        6.0,
        lambda size: harbour.harbour(size, NIGHTFALL, 16),
        Tune(
            ((58, 62, 65, 69), (55, 58, 62, 65), (51, 55, 58, 62), (53, 57, 60, 67)),
            (0, 4, 3, -1, 5, 2, 4, -1),
            0.44,
            8,
        ),
    ),
    Carousel(
        "bean-to-cup",
        "From bean to cup",
        "Three sheets: a coffee branch with ripe cherries, a drum of roasted beans, a poured cup.",
        lambda: [compose(prints.bean_to_cup(PORTRAIT, step, 4)) for step in (1, 2, 3)],
    ),
    Carousel(
        "three-coves",
        "Three coves, one day",
        "One coast over three pictures: sunrise, noon and a moonlit night behind dark pines.",
        lambda: panorama_pages(3),
    ),
)


def panorama_pages(count: int) -> list[Image.Image]:
    """One wide picture cut into `count` portraits that continue each other."""
    width, height = PORTRAIT
    whole = compose(coast.coves((width * count, height), 7))
    return [whole.crop((i * width, 0, (i + 1) * width, height)) for i in range(count)]


def files_of(item: Item) -> list[str]:
    """The names of an item's files in `resources/media/`."""
    match item:
        case Photo():
            return [f"{item.name}.jpg"]
        case Reel():
            return [f"{item.name}.mp4"]
        case Carousel():
            return [f"{item.name}-{page}.jpg" for page in (1, 2, 3)]


def frames(reel: Reel) -> Iterator[Image.Image]:
    """The pictures of a reel, one loop of its scene."""
    layers = reel.scene(REEL)
    count = round(reel.seconds * FRAMES_PER_SECOND)
    for index in range(count):
        yield compose(layers, index / count)


def make(item: Item, folder: Path) -> None:
    """Write the files of one item into `folder`."""
    targets = [folder / name for name in files_of(item)]
    match item:
        case Photo():
            write_photo(compose(item.scene(item.size)), targets[0])
        case Reel():
            write_reel(frames(item), item.seconds, item.tune, targets[0])
        case Carousel():
            for picture, target in zip(item.pages(), targets, strict=True):
                write_photo(picture, target)


def manifest() -> str:
    """What `library.json` says: every item with its files, title and alternative text."""
    entries = [
        {
            "name": item.name,
            "kind": type(item).__name__.lower(),
            "files": files_of(item),
            "title": item.title,
            "alt_text": item.alt_text,
        }
        for item in CATALOGUE
    ]
    return json.dumps({"items": entries}, indent=2, ensure_ascii=False) + "\n"


def main(names: Sequence[str]) -> None:
    """Make the items called `names`, or all of them, and write the manifest."""
    folder = resources.path("media")
    unknown = set(names) - {item.name for item in CATALOGUE}
    if unknown:
        raise SystemExit(
            f"No such item: {', '.join(sorted(unknown))}. See CATALOGUE in {__file__}."
        )
    for item in CATALOGUE:
        if names and item.name not in names:
            continue
        make(item, folder)
        for name in files_of(item):
            print(f"{name}  {(folder / name).stat().st_size // 1000} kB", flush=True)
    (folder / "library.json").write_text(manifest(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
