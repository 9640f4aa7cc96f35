"""How a long-lived process treats its memory. Called once, by the program, when it has started."""

import gc

_OBJECTS_BETWEEN_LOOKS = 10_000
"""More than a batch of events consists of: it comes and goes between two looks for circles."""


def set_aside_what_is_loaded() -> None:
    """Keep what a program loaded at its start out of every later search for garbage.

    Modules, schemas and statements are hundreds of thousands of objects that never go; walking
    over them, while events come by the thousand, took a quarter of the core's time.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
