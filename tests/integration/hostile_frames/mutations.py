"""Hostile messages made from good ones: which, and how, is settled by a seed and an index alone.

Nothing here knows a peer. A message may hold blanks (`"$request"`, `"$seq"`) that whoever sends it
fills in with what is true at that moment, so that a lie about it reaches the code that decides.
"""

from __future__ import annotations

import functools
import json
import os
import random
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from common.protocol.frames import FrameKind
from common.protocol.messages import CONTROL_MESSAGE_LIMIT

Json = dict[str, Any]
Path = tuple[str | int, ...]

PER_SIDE = int(os.environ.get("FLOTILLA_HOSTILE_FRAMES", "26000"))
"""Mutants that each side of the control link is told, in a run of the test command."""
_DEEP = 200_000
_BOMB = 50 * 1024 * 1024
_LONG_TEXT = 40_000
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

NUMBERS = (
    *("0", "-0", "-1", "0.5", "-0.0", "1e308", "-1e308", "1e-320", "1e999", "-1e999"),
    *("NaN", "Infinity", "-Infinity", "2147483648", "9007199254740993"),
    *(str(2**62), str(2**63 - 1), str(2**63), str(-(2**63) - 1), str(2**64), str(2**64 + 1)),
    *("1" * 400, "true", '"1"', "null"),
)
BAD_NUMBERS = ("1" * 4400, "1e", "01", "0x10", "1_000", "+1", ".5")
TEXTS = (
    *("", " ", "\0", "a\0b", "\x1b[2J\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\r\n\r\nX: y"),
    *("\u202eetirw\u202c", "\u2066x\u2069", "zero\u200bwidth", "\ufeffbom", "\x7f\x80\x9f"),
    *("../../../../etc/passwd", "C:\\Windows\\system32", "file:///etc/passwd", "javascript:1"),
    *("{{7*7}}", "${x}", "%s%n", "' OR 1=1 --", "<b>bold</b>", "\U0001f4a3" * 40, "é" * 5000),
)
RAW_TEXTS = (
    *BAD_NUMBERS,
    *('"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\x"', '"\n"', '"\\u202e"'),
)
WRONG_TYPES = ("null", "true", "[]", "{}", "[[]]", '[{"a":[1,{"b":null}]}]', '""', "7", '["x"]')


class Carrier(Enum):
    """How the bytes go on the wire."""

    TEXT = "text"
    BINARY = "binary"
    RAW = "raw"
    """Past the WebSocket library, as they are."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One hostile message."""

    index: int
    kind: str
    carrier: Carrier
    data: bytes

    def filled(self, blanks: Mapping[str, str]) -> bytes:
        """The bytes with every blank replaced by what is true now."""
        if self.carrier is not Carrier.TEXT or b"$" not in self.data:
            return self.data
        data = self.data
        for name, value in blanks.items():
            data = data.replace(name.encode(), value.encode())
        return data


@dataclass(frozen=True, slots=True)
class Good:
    """A message that a peer of ours would send, and how often it is the one to be spoiled."""

    message: Json
    weight: int = 10
    inside: str = ""
    """What the spoiled message is put into, in the place of `$body`; nothing where empty."""


def hostile_id(dice: random.Random) -> str:
    """An id of the right shape that nobody has made."""
    return "0" + "".join(dice.choices(_CROCKFORD, k=25))


class Mutator:
    """Makes mutant number `index` of a seed, the same one each time."""

    def __init__(self, seed: int, good: Sequence[Good], *, masks: bool) -> None:
        """`masks` says whether this side is a WebSocket client, which masks its frames."""
        self._seed = seed
        self._good = list(good)
        self._weights = [each.weight for each in good]
        self._masks = masks

    def make(self, index: int) -> Mutant:
        """Return the mutant of this number."""
        dice = random.Random(self._seed * 1_000_003 + index)
        name, act = dice.choices(_KINDS, _WEIGHTS)[0]
        good = dice.choices(self._good, self._weights)[0]
        message = json.loads(json.dumps(good.message))
        if message.get("id") == "$fresh":
            message["id"] = f"h{index}"
        if act is _raw:
            return Mutant(index, name, Carrier.RAW, _raw(dice, masks=self._masks))
        if act is _binary:
            return Mutant(index, name, Carrier.BINARY, _binary(dice))
        _make_ids_new(message, dice)
        spoiled = act(message, dice)
        if good.inside:
            spoiled = good.inside.encode().replace(b"$body", spoiled)
        return Mutant(index, name, Carrier.TEXT, spoiled)


def _make_ids_new(message: Json, dice: random.Random) -> None:
    """Let an item that is handed over be another one than the last."""
    item = message.get("item")
    if isinstance(item, dict):
        item["item_id"] = hostile_id(dice)
        if isinstance(item.get("publish"), dict):
            item["publish"]["intent_id"] = hostile_id(dice)


# --- One field is not what it should be ---------------------------------------------------------


def _paths(value: Any, here: Path = ()) -> list[Path]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = [(name, each) for name, each in value.items()]
    elif isinstance(value, list):
        inner = list(enumerate(value))
    found = [(*here, name) for name, _ in inner]
    for name, each in inner:
        found += _paths(each, (*here, name))
    return found


def _at(message: Json, path: Path) -> Any:
    found: Any = message
    for part in path:
        found = found[part]
    return found


def _put(message: Json, path: Path, value: Any) -> None:
    _at(message, path[:-1])[path[-1]] = value


def _some_path(message: Json, dice: random.Random, but: Sequence[Path] = (("t",),)) -> Path:
    return dice.choice([path for path in _paths(message) if path not in but] or [("t",)])


def _replaced(message: Json, dice: random.Random, raw: str) -> bytes:
    """The message with JSON text, right or wrong, in the place of one field."""
    _put(message, _some_path(message, dice), "\ue000")
    return _text(message).replace(_text("\ue000"), raw.encode("utf-8", "surrogatepass"), 1)


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _number(message: Json, dice: random.Random) -> bytes:
    numbers = [
        path
        for path in _paths(message)
        if isinstance(_at(message, path), int | float) or str(_at(message, path)).startswith("$seq")
    ]
    if not numbers:
        return _replaced(message, dice, dice.choice(NUMBERS))
    _put(message, dice.choice(numbers), "\ue000")
    return _text(message).replace(_text("\ue000"), dice.choice(NUMBERS).encode(), 1)


def _hostile_text(message: Json, dice: random.Random) -> bytes:
    texts = [path for path in _paths(message) if isinstance(_at(message, path), str)]
    paths = [path for path in texts if path != ("t",)] or [("t",)]
    for path in dice.sample(paths, dice.randint(1, len(paths))):
        _put(message, path, dice.choice(TEXTS))
    return _text(message)


def _raw_text(message: Json, dice: random.Random) -> bytes:
    return _replaced(message, dice, dice.choice(RAW_TEXTS))


def _long_text(message: Json, dice: random.Random) -> bytes:
    _put(message, _some_path(message, dice), dice.choice("aé\U0001f4a3\x1b") * (_LONG_TEXT // 4))
    return _text(message)


def _wrong_type(message: Json, dice: random.Random) -> bytes:
    return _replaced(message, dice, dice.choice(WRONG_TYPES))


def _swapped(message: Json, dice: random.Random) -> bytes:
    one, other = _some_path(message, dice), _some_path(message, dice)
    if one[: len(other)] == other or other[: len(one)] == one:
        return _dropped(message, dice)
    first, second = _at(message, one), _at(message, other)
    _put(message, one, second)
    _put(message, other, first)
    return _text(message)


def _dropped(message: Json, dice: random.Random) -> bytes:
    path = _some_path(message, dice)
    del _at(message, path[:-1])[path[-1]]
    return _text(message)


def _renamed(message: Json, dice: random.Random) -> bytes:
    holder = dice.choice([message, *(v for v in message.values() if isinstance(v, dict))])
    names = [name for name in holder if name != "t"]
    if names:
        name = dice.choice(names)
        holder[dice.choice(["", name.upper(), f"{name}\0", "__class__", "t"])] = holder.pop(name)
    return _text(message)


def _doubled(message: Json, dice: random.Random) -> bytes:
    """The same key twice, with two values."""
    name = dice.choice(list(message))
    other = dice.choice([*NUMBERS[:6], '"x"', "null", "[]", _text(message[name]).decode()])
    twice = f"{{{json.dumps(name)}:{other},".encode()
    return _text(message).replace(b"{", twice, 1)


def _stretched(message: Json, dice: random.Random) -> bytes:
    """A list that is longer than anybody needs."""
    lists = [path for path in _paths(message) if isinstance(_at(message, path), list)]
    if not lists:
        return _extra(message, dice)
    path = dice.choice(lists)
    seed_value = _at(message, path) or [dice.choice(["x", 1, None, {}])]
    one = max(1, len(_text(seed_value)) // max(1, len(seed_value)))
    _put(message, path, seed_value * min(20_000, 50_000 // one // len(seed_value) + 1))
    return _text(message)


def _extra(message: Json, dice: random.Random) -> bytes:
    message.update({f"x{number}": dice.choice(TEXTS) for number in range(dice.choice([1, 50]))})
    return _text(message)


def _other_type(message: Json, dice: random.Random) -> bytes:
    message["t"] = dice.choice(
        [
            *("accept_item", "accepted", "control_items", "inventory", "log_chunk", "progress"),
            *("heartbeat", "refused", "done", "missing_blobs", "screen_seen", "read_log"),
            *("teleport", "", "T", "hello\0", "events ", "__init__", "é" * 300),
        ]
    )
    return _text(message)


def _nested(message: Json, dice: random.Random) -> bytes:
    depth = dice.choice([50, 150, 198, 210, 900])
    opening, closing = dice.choice([("[", "]"), ('{"a":', "}")])
    return _replaced(message, dice, opening * depth + "1" + closing * depth)


# --- The text as a whole is not what it should be -----------------------------------------------


def _flipped(message: Json, dice: random.Random) -> bytes:
    data = bytearray(_text(message))
    for _ in range(dice.choice([1, 1, 1, 2, 8])):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _flipped_inside(message: Json, dice: random.Random) -> bytes:
    """One bit of one letter or digit inside a value; what comes out is mostly readable still."""
    data = bytearray(_text(message))
    inside = [at for at in range(len(data)) if data[at] < 0x80 and chr(data[at]).isalnum()]
    data[dice.choice(inside)] ^= 1 << dice.randrange(3)
    return bytes(data)


def _truncated(message: Json, dice: random.Random) -> bytes:
    data = _text(message)
    return data[: dice.randrange(len(data))]


def _garbage(message: Json, dice: random.Random) -> bytes:
    return dice.choice(
        [
            *(b"", b" ", b"[]", b"null", b'"hello"', b"7", b"{", b"{}", b'{"t":null}', b'{"t":[]}'),
            *(dice.randbytes(200), _text(message) * 2, b"\xef\xbb\xbf" + _text(message)),
            *(b"[" * 60_000, b'{"a":' * 12_000, b"[" * _DEEP, b'{"t":' * 30_000),
            *(b'{"t":"heartbeat","clock":1' + b"0" * 60_000 + b"}", b"\xff\xfe", b"\xed\xa0\x80"),
        ]
    )


def _oversized(message: Json, dice: random.Random) -> bytes:
    room = dice.choice([CONTROL_MESSAGE_LIMIT, CONTROL_MESSAGE_LIMIT + 1, 700_000])
    message["padding"] = "x" * (room - len(_text(message)) - 15)
    return _text(message)


# --- Bytes that are no message ------------------------------------------------------------------


def _binary(dice: random.Random) -> bytes:
    """A frame whose header lies, or is none."""
    if dice.random() < 0.2:
        return dice.randbytes(dice.randrange(20))
    kind = dice.choice([FrameKind.SCREEN, FrameKind.SCREEN, FrameKind.BLOB, 0, 3, 255])
    channel = dice.choice([0, 1, 7, 0xFFFF, 0xFFFFFFFF])
    offset = dice.choice([0, 1, 16, 2**32, 2**62, 2**62 + 1, 2**63, 2**64 - 1])
    header = struct.pack(">BBHIQ", kind, dice.choice([0, 1, 0xFF]), 0, channel, offset)
    payload = dice.choice([b"", b"\xff\xd8\xff\xe0", b"\0" * 100, b"\xff\xd8\xff" * 5_000])
    return header + payload


def _raw(dice: random.Random, *, masks: bool) -> bytes:
    """What no WebSocket peer may send: bad bits, bad lengths, bad order, a bomb."""
    fin, rsv1 = 0x80, 0x40
    bomb = _bomb()
    first, payload = dice.choice(
        [
            (fin | rsv1 | 1, bomb),
            (fin | rsv1 | 2, bomb),
            (fin | 0x20 | 1, b"{}"),
            (fin | 3, b"reserved"),
            (fin | 0xB, b"reserved"),
            (fin | 0, b"goes on from nothing"),
            (0x9, b"a ping in pieces"),
            (fin | 0x9, b"p" * 126),
            (fin | 8, b"\x00"),
            (fin | 8, struct.pack(">H", 999)),
            (fin | 8, struct.pack(">H", 1006) + b"\xff"),
            (fin | 1, b"\xc3\x28"),
        ]
    )
    if dice.random() < 0.3:
        length = dice.choice([2**63, 2**64 - 1, 2**40, 2**31])
        return struct.pack(">BBQ", fin | 1, 127 | (0x80 if masks else 0), length) + b"abcdefgh"
    return _framed(first, payload, masks=masks if dice.random() < 0.9 else not masks)


def _framed(first: int, payload: bytes, *, masks: bool) -> bytes:
    size = len(payload)
    mark = 0x80 if masks else 0
    if size < 126:
        head = struct.pack(">BB", first, mark | size)
    elif size < 65_536:
        head = struct.pack(">BBH", first, mark | 126, size)
    else:
        head = struct.pack(">BBQ", first, mark | 127, size)
    # A mask of zeros is a mask, and leaves the payload as it is.
    return head + (b"\0\0\0\0" if masks else b"") + payload


@functools.cache
def _bomb() -> bytes:
    """50 MiB of one letter, as permessage-deflate would send them."""
    squeezer = zlib.compressobj(9, wbits=-15)
    packed = b"".join(squeezer.compress(b"x" * 2**20) for _ in range(_BOMB // 2**20))
    return (packed + squeezer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


_Act = Callable[[Json, random.Random], bytes]
_KINDS: list[tuple[str, Any]] = [
    ("number", _number),
    ("hostile text", _hostile_text),
    ("raw text", _raw_text),
    ("long text", _long_text),
    ("wrong type", _wrong_type),
    ("swapped fields", _swapped),
    ("dropped field", _dropped),
    ("renamed field", _renamed),
    ("doubled key", _doubled),
    ("stretched list", _stretched),
    ("extra fields", _extra),
    ("other type", _other_type),
    ("nested", _nested),
    ("flipped bit inside", _flipped_inside),
    ("flipped bits", _flipped),
    ("truncated", _truncated),
    ("garbage", _garbage),
    ("oversized", _oversized),
    ("binary", _binary),
    ("raw", _raw),
]
_WEIGHTS = [120, 220, 3, 4, 120, 90, 80, 50, 60, 4, 80, 12, 6, 80, 3, 2, 3, 1, 3, 2]
"""What ends a session is rare: a new one costs more than a thousand messages."""
