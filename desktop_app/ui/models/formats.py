"""Numbers and times as the window writes them. Pure: the time of now comes in."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE = 60
_HOUR = 3600
_DAY = 86400
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_KIBI = 1024


def relative_time(at: float | None, now: float) -> str:
    """Say how long ago `at` is, in the largest whole unit; a dash for never."""
    if at is None:
        return "–"
    seconds = now - at
    if seconds < 0:
        return _span(-seconds, "in {}")
    if seconds < 5:
        return "just now"
    return _span(seconds, "{} ago")


def _span(seconds: float, form: str) -> str:
    for unit, sign in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return form.format(f"{int(seconds // unit)} {sign}")
    return form.format(f"{int(seconds)} s")


def exact_time(at: float | None) -> str:
    """Return the local date and time to the millisecond, with the zone; empty for never."""
    if at is None:
        return ""
    local = datetime.fromtimestamp(at, UTC).astimezone()
    return local.strftime("%Y-%m-%d %H:%M:%S.") + f"{local.microsecond // 1000:03d} {local:%Z}"


def moment(at: float | None) -> str:
    """Return the local date and time to the second; empty for never."""
    return exact_time(at)[:19]


def clock_time(at: float) -> str:
    """Return the local time of day with milliseconds."""
    local = datetime.fromtimestamp(at, UTC).astimezone()
    return local.strftime("%H:%M:%S.") + f"{local.microsecond // 1000:03d}"


def duration(seconds: float) -> str:
    """Return a length as `m:ss`, or `h:mm:ss`."""
    whole = round(seconds)
    hours, rest = divmod(whole, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def duration_words(seconds: float) -> str:
    """Return a length in its two largest units: `8 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`."""
    whole = round(seconds)
    units = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
    for place, (unit, sign) in enumerate(units):
        count, rest = divmod(whole, unit)
        if not count:
            continue
        lesser = units[place + 1 : place + 2]
        more = [f"{rest // small} {name}" for small, name in lesser if rest // small]
        return " ".join([f"{count} {sign}", *more])
    return "0 s"


def gap_text(seconds: float) -> str:
    """Return how long after something else: `+0.21 s`, `+2 min 5 s`, `−3 s`."""
    sign = "+" if seconds >= 0 else "−"
    apart = abs(seconds)
    return f"{sign}{apart:.2f} s" if apart < _MINUTE else f"{sign}{duration_words(apart)}"


def bytes_text(size: float | None) -> str:
    """Return a size in the unit that fits; a dash where it is not known."""
    if size is None:
        return "–"
    for unit in _UNITS[:-1]:
        if size < _KIBI:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= _KIBI
    return f"{size:.1f} {_UNITS[-1]}"


def milliseconds(seconds: float | None) -> str:
    """Return a short time in milliseconds; a dash where it is not known."""
    return "–" if seconds is None else f"{seconds * 1000:.0f} ms"


def count_of(number: int, one: str, many: str = "") -> str:
    """Return `1 account`, `12 accounts`, `5,000 accounts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """Return a remark with a capital and a full stop."""
    words = text.strip()
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words[-1] in ".?!…" else ".")
