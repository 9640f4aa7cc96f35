"""One measured figure, and how it is printed."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, with the target it is held against where there is one."""

    name: str
    value: float
    target: str = ""
    met: bool | None = None


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| figure | value | target | met |", "|---|---:|---|---|"]
    for figure in figures:
        met = "" if figure.met is None else "yes" if figure.met else "**no**"
        lines.append(f"| {figure.name} | {figure.value:.3g} | {figure.target} | {met} |")
    return "\n".join(lines)
