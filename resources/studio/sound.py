"""The music of the reels: soft pads and plucked strings over four chords, in a small room.

Samples are float arrays, mono while they are made and stereo at the end; no file is written here.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE = 44_100
Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tune:
    """Four chords of MIDI notes, the order in which their notes are plucked, and the voice."""

    chords: tuple[tuple[int, ...], ...]
    pattern: tuple[int, ...]
    brightness: float = 0.5
    seed: int = 1


def hertz(note: int) -> float:
    """The pitch of a MIDI note."""
    return float(440 * 2 ** ((note - 69) / 12))


def pluck(note: int, seconds: float, brightness: float) -> Samples:
    """A struck string: partials that fade the sooner the higher they are."""
    at = np.arange(int(seconds * RATE)) / RATE
    tone = np.zeros_like(at)
    for partial in range(1, 9):
        level = brightness ** (partial - 1) / partial
        stretched = hertz(note) * partial * (1 + 0.00035 * partial**2)
        tone += level * np.sin(2 * np.pi * stretched * at) * np.exp(-at * (1.5 + 1.3 * partial))
    return tone * np.minimum(1, at / 0.006)


def pad(notes: tuple[int, ...], seconds: float) -> Samples:
    """A held chord that swells and leaves, each note slightly doubled."""
    at = np.arange(int(seconds * RATE)) / RATE
    tone = np.zeros_like(at)
    for note in notes:
        for detune in (0.9985, 1, 1.0015):
            base = 2 * np.pi * hertz(note) * detune * at
            tone += np.sin(base) + 0.22 * np.sin(2 * base) + 0.06 * np.sin(3 * base)
    return tone / (3 * len(notes)) * np.sin(np.pi * at / seconds) ** 0.8


def room(dry: Samples, rng: np.random.Generator, seconds: float = 1.6) -> Samples:
    """The sound with the tail of a small wooden room."""
    length = int(seconds * RATE)
    tail = rng.normal(0, 1, length) * np.exp(-np.arange(length) / RATE * 4.2)
    tail = np.convolve(tail, np.hanning(48) / 24, mode="same")
    span = 1 << (len(dry) + length).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, span) * np.fft.rfft(tail, span), span)[: len(dry)]
    return np.asarray(dry + 0.3 * wet / (np.abs(wet).max() + 1e-9) * np.abs(dry).max())


def play(tune: Tune, seconds: float) -> npt.NDArray[np.int16]:
    """The tune as 16-bit stereo frames, `seconds` long, faded at both ends."""
    rng = np.random.default_rng(tune.seed)
    total = int(seconds * RATE)
    sides = [np.zeros(total + 4 * RATE) for _ in range(2)]
    bar = seconds / len(tune.chords)
    for index, chord in enumerate(tune.chords):
        _add_bar(sides, tune, chord, index * bar, bar, rng)
    stereo = np.stack([room(side[:total], rng) for side in sides], axis=1)
    edge = np.minimum(1, np.arange(total) / (0.05 * RATE))
    edge *= np.minimum(1, np.arange(total)[::-1] / (0.7 * RATE))
    stereo *= edge[:, None] * 0.6 / np.abs(stereo).max()
    return np.asarray((stereo * 32767).astype(np.int16))


def _add_bar(
    sides: list[Samples],
    tune: Tune,
    chord: tuple[int, ...],
    start: float,
    bar: float,
    rng: np.random.Generator,
) -> None:
    low = tuple(note - 12 for note in chord[:3])
    for side in sides:
        _add(side, pad(low, bar * 1.5) * 0.30, start)
    step = bar / len(tune.pattern)
    for beat, degree in enumerate(tune.pattern):
        if degree < 0:
            continue
        octave, place = divmod(degree, len(chord))
        tone = pluck(chord[place] + 12 * octave, 2.2, tune.brightness)
        tone *= 0.34 * rng.uniform(0.75, 1)
        lean = rng.uniform(0.3, 0.7)
        for side, share in zip(sides, (lean, 1 - lean), strict=True):
            _add(side, tone * share, start + beat * step + rng.uniform(0, 0.012))


def _add(side: Samples, tone: Samples, start: float) -> None:
    first = int(start * RATE)
    fits = tone[: len(side) - first]
    side[first : first + len(fits)] += fits
