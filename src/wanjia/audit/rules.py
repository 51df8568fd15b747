"""The exact bytes an act commits to. Pure functions; what they return must never change.

**Canonical JSON**: RFC 8785 (JCS) for the subset used here: objects with ASCII keys, arrays,
strings without NUL, booleans, null and integers up to 2⁵³−1 in size. Floats are refused, since
their text differs between languages; larger integers and decimals are written as strings.

**Commitment**: `SHA-256(salt ‖ canonical payload)`, with `SM3(salt ‖ canonical payload)` beside
it. Both are salted: a bare SM3 of a payload such as "household 17, outcome 01" is guessed in
seconds, and would still be there after salt and payload are erased.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes

from wanjia.audit.errors import IdentityNumberInPayload, PayloadNotCanonical
from wanjia.kernel.codes import LENGTHS

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"

SALT_SIZE = 16
LARGEST_INTEGER = 2**53 - 1
PUBLIC_AREA_LENGTH = 6

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode

# 18 characters with a plausible birth date in them, standing alone: an identity number, or near enough.
_IDENTITY_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
)


def canonical(payload: Mapping[str, JSON]) -> bytes:
    """The one written form of `payload`. Raises PayloadNotCanonical."""
    if not _is_plain(payload):
        _require_plain(payload, "$")
    try:
        return _encode(payload).encode()
    except UnicodeEncodeError:
        raise PayloadNotCanonical(where="$", problem="half a surrogate pair") from None


def _is_plain(value: object) -> bool:
    """Whether everything in it is sound; where it is not, `_require_plain` says. Bulk acts ask this by the million."""
    kind = type(value)
    if kind is str:
        return "\0" not in value  # type: ignore[operator]
    if value is None or kind is bool:
        return True
    if kind is int:
        return abs(value) <= LARGEST_INTEGER  # type: ignore[arg-type]
    if kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str or not key.isascii() or "\0" in key or not _is_plain(item):
                return False
        return True
    return kind in (list, tuple) and all(map(_is_plain, value))  # type: ignore[call-overload]


def _require_plain(value: object, where: str) -> None:  # noqa: C901 - one branch for each kind of JSON value
    # ASCII keys sort alike by code point and by UTF-16 unit, which is what JCS asks for
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if "\0" in value:
            raise PayloadNotCanonical(where=where, problem="NUL character")
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise PayloadNotCanonical(where=where, problem="integer above 2^53-1")
    elif isinstance(value, Mapping):
        if not isinstance(value, dict):
            raise PayloadNotCanonical(where=where, problem=f"{type(value).__name__}, use dict")
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii() or "\0" in key:
                raise PayloadNotCanonical(where=where, problem="key that is not ASCII text")
            _require_plain(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            _require_plain(item, f"{where}[{number}]")
    else:
        raise PayloadNotCanonical(where=where, problem=type(value).__name__)


def holds_identity_number(text: str) -> bool:
    """Whether something in `text` looks like an identity number in clear."""
    return _IDENTITY_NUMBER.search(text) is not None


def refuse_identity_numbers(value: object, where: str) -> None:
    """Raise IdentityNumberInPayload if a text anywhere in `value` holds an identity number in clear."""
    if isinstance(value, str):
        if holds_identity_number(value):
            raise IdentityNumberInPayload(where=where)
    elif isinstance(value, int):
        if not isinstance(value, bool) and _IDENTITY_NUMBER.fullmatch(str(value)):
            raise IdentityNumberInPayload(where=where)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            refuse_identity_numbers(item, f"{where}.{key}")
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for number, item in enumerate(value):
            refuse_identity_numbers(item, f"{where}[{number}]")


@cache
def _hashlib_has_sm3() -> bool:
    # FIPS builds of OpenSSL leave it out; `cryptography` brings its own, four times slower
    return "sm3" in hashlib.algorithms_available


def sm3(data: bytes) -> bytes:
    """The SM3 digest (GB/T 32905) of `data`."""
    if _hashlib_has_sm3():
        return hashlib.new("sm3", data).digest()
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


@dataclass(frozen=True, slots=True)
class Commitment:
    """What stands in public for a payload: two digests that say nothing without the salt."""

    sha256: str
    sm3: str


def commit(salt: bytes, payload: Mapping[str, JSON]) -> Commitment:
    """The commitment to `payload` under `salt`."""
    salted = salt + canonical(payload)
    return Commitment(hashlib.sha256(salted).hexdigest(), sm3(salted).hex())


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail row's own salt (kept in the row) and the digest a bulk act's entry covers."""

    salt: bytes
    digest: bytes


def detail_digest(salt: bytes, payload: Mapping[str, JSON]) -> bytes:
    """SHA-256(salt ‖ canonical payload) of one detail row."""
    return hashlib.sha256(bytes(salt) + canonical(payload)).digest()


def row_digest(salt: bytes, payload: Mapping[str, JSON] | None) -> bytes:
    """The digest of a detail row as its source tells it: of an erased one it stands in the place of the salt."""
    return bytes(salt) if payload is None else detail_digest(salt, payload)


def detail(payload: Mapping[str, JSON]) -> Detail:
    """A fresh salt and the digest of one detail row of a bulk act.

    The owner stores the salt in the row, and hands the digests to `record` in the order in which
    it will read the rows again.
    """
    return next(details_of([payload]))


def details_of(payloads: Collection[Mapping[str, JSON]]) -> Iterator[Detail]:
    """The same of many rows: their salts are drawn in one call into the system."""
    drawn = os.urandom(SALT_SIZE * len(payloads))
    for at, payload in enumerate(payloads):
        salt = drawn[at * SALT_SIZE : (at + 1) * SALT_SIZE]
        yield Detail(salt, detail_digest(salt, payload))


def public_area(area: str) -> str:
    """`area` cut to what an entry may say: the county, or the wider area itself."""
    return area[:PUBLIC_AREA_LENGTH]


def common_area(codes: Iterable[str]) -> str:
    """The smallest area that holds all of `codes`; "" when they lie in several provinces.

    >>> common_area(["451228100201", "451228100", "451228104203"]), common_area(["451228", "451202"])
    ('451228', '4512')
    """
    distinct = set(codes)
    if not distinct:
        return ""
    low, high = min(distinct), max(distinct)
    shared = 0
    while shared < min(len(low), len(high)) and low[shared] == high[shared]:
        shared += 1
    return low[: max((length for length in LENGTHS if length <= shared), default=0)]


def stamp(at: datetime) -> str:
    """An instant as entries write it: UTC to the microsecond, `2020-11-16T01:00:00.000000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
