"""What is looked for: personal numbers, and every form of bytes a program might give them.

Texts are looked for as runs of digits (`search`), so a needle has few forms here: its digits, and
the integers and packed decimals a table, a file format or a protocol would make of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from wanjia.kernel.identity import NUMBER_LENGTH, check_character

# Of a thousand needles five bytes long, one turns up by chance in any gigabyte of ciphertext.
SHORTEST_PATTERN = 6
PHONE, OLD, ACCOUNT, STEM = 11, 15, 16, 17
KINDS: Mapping[int, str] = {PHONE: "phone", OLD: "15-digit number", ACCOUNT: "bank account", STEM: "identity number"}


@dataclass(frozen=True, slots=True)
class Needles:
    """The numbers planted in one installation, as digits by their length.

    Identity numbers are kept without their check character: whoever holds seventeen digits holds
    the eighteenth, and certificates of disability (20 and 22 characters) begin with the same.
    """

    by_length: Mapping[int, frozenset[str]]

    @classmethod
    def of(cls, numbers: Iterable[str], phones: Iterable[str] = (), accounts: Iterable[str] = ()) -> Needles:
        """Needles for whole identity numbers (15, 18, 20 or 22 characters), phones and accounts."""
        stems, old = set[str](), set[str]()
        for number in numbers:
            if len(number) >= NUMBER_LENGTH and number[:STEM].isdigit():
                stems.add(number[:STEM])
                old.add(number[:6] + number[8:STEM])
            elif len(number) == OLD and number.isdigit():
                old.add(number)
        given = {STEM: stems, OLD: old, PHONE: set(phones), ACCOUNT: set(accounts)}
        for length, texts in given.items():
            wrong = [text for text in texts if len(text) != length or not text.isascii() or not text.isdigit()]
            if wrong:
                raise ValueError(f"{len(wrong)} texts are no {KINDS[length]}")
        return cls({length: frozenset(texts) for length, texts in given.items() if texts})

    def __len__(self) -> int:
        return sum(map(len, self.by_length.values()))

    def joined(self, other: Needles) -> Needles:
        """These and others."""
        lengths = self.by_length.keys() | other.by_length.keys()
        return Needles({n: self.by_length.get(n, frozenset()) | other.by_length.get(n, frozenset()) for n in lengths})

    def forms(self) -> Iterator[Form]:
        """The binary forms of all of them."""
        for length, texts in sorted(self.by_length.items()):
            yield from _integers(KINDS[length], {text: int(text) for text in texts})
            yield from _decimals(KINDS[length], texts)
        stems = self.by_length.get(STEM, frozenset())
        checks = {stem: check_character(stem) for stem in stems}
        whole = {stem: int(stem + check) for stem, check in checks.items() if check.isdigit()}
        packed = {stem: int(stem) * 11 + (10 if check == "X" else int(check)) for stem, check in checks.items()}
        yield from _integers("18 digits", whole)
        yield from _decimals("18 digits", (stem + check for stem, check in checks.items() if check.isdigit()))
        yield from _integers("packed number", packed)


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing needles as bytes, all of the same length: pattern → the digits it stands for."""

    name: str
    patterns: Mapping[bytes, str] = field(repr=False)

    @property
    def size(self) -> int:
        return len(next(iter(self.patterns)))


class _Forms:
    """Collects patterns by form and size; several needles never share a pattern of one form."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], dict[bytes, str]] = {}

    def add(self, name: str, pattern: bytes, text: str) -> None:
        if len(pattern) >= SHORTEST_PATTERN:
            self._found.setdefault((name, len(pattern)), {})[pattern] = text

    def __iter__(self) -> Iterator[Form]:
        return (Form(name, patterns) for (name, _), patterns in self._found.items())


def _integers(kind: str, values: Mapping[str, int]) -> _Forms:
    forms = _Forms()
    for text, value in values.items():
        forms.add(f"{kind}, int64 little-endian", value.to_bytes(8, "little"), text)
        forms.add(f"{kind}, int64 big-endian", value.to_bytes(8, "big"), text)
        forms.add(f"{kind}, SQLite varint", sqlite_varint(value), text)
        forms.add(f"{kind}, LEB128", leb128(value), text)
        forms.add(f"{kind}, LEB128 zigzag", leb128(value << 1), text)
        forms.add(f"{kind}, double little-endian", struct.pack("<d", value), text)
        forms.add(f"{kind}, double big-endian", struct.pack(">d", value), text)
        if value < 1 << 47:  # SQLite's record format stores it in six bytes, big-endian
            forms.add(f"{kind}, int48 big-endian", value.to_bytes(6, "big"), text)
        forms.add(f"{kind}, PostgreSQL numeric", postgres_numeric(value), text)
    return forms


def _decimals(kind: str, texts: Iterable[str]) -> _Forms:
    """Binary-coded decimals: two digits a byte, whatever stands in the half byte before or behind."""
    forms = _Forms()
    for text in texts:
        if len(text) == PHONE:  # too short to be cut
            cuts = {"0": "0" + text, "f": text + "f"}
        elif len(text) % 2:
            cuts = {"even": text[1:], "odd": text[:-1]}
        else:
            cuts = {"even": text, "odd": text[1:-1]}
        for cut, digits in cuts.items():
            forms.add(f"{kind}, BCD {cut}", bytes.fromhex(digits), text)
            forms.add(f"{kind}, BCD {cut} swapped", swapped(bytes.fromhex(digits)), text)
    return forms


def swapped(octets: bytes) -> bytes:
    """Every byte with its halves exchanged, as telephone equipment writes digits."""
    return bytes((octet >> 4) | (octet & 0xF) << 4 for octet in octets)


def sqlite_varint(value: int) -> bytes:
    """A value below 2⁶⁴ as SQLite writes row numbers: seven bits a byte, eight in the ninth."""
    if value >= 1 << 56:
        groups = [value & 0xFF]
        value >>= 8
        groups += [(value >> 7 * n & 0x7F) | 0x80 for n in range(8)]
        return bytes(reversed(groups))
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def leb128(value: int) -> bytes:
    """A value as protocol buffers and Thrift write it: seven bits a byte, lowest first."""
    groups = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        groups.append(low | 0x80 if value else low)
        if not value:
            return bytes(groups)


def postgres_numeric(value: int) -> bytes:
    """The base-10,000 digits of a numeric as PostgreSQL keeps them on disk (little-endian int16)."""
    digits = []
    while value:
        value, low = divmod(value, 10_000)
        digits.append(low)
    return b"".join(struct.pack("<h", digit) for digit in reversed(digits)).rstrip(b"\0")


class Compiled:
    """Needles made ready for searching; made once for each installation."""

    def __init__(self, needles: Needles) -> None:
        self.needles = needles

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        return tuple(sorted(self.needles.by_length))

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        return tuple(form for form in self.needles.forms() if form.patterns)

    def among(self, run: str) -> Iterator[tuple[int, str, str]]:
        """(place, kind, digits) of every needle in a run of digits."""
        for length in self.lengths:
            known = self.needles.by_length[length]
            for at in range(len(run) - length + 1):
                if (text := run[at : at + length]) in known:
                    yield at, KINDS[length], text
