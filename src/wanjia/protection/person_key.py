"""person_key: the 64-bit keyed value that everything joins and looks up by (design.md §5 Identity).

A number of 18 characters is packed into 63 bits (its 17 digits times 11, plus the check
character, X being 10) and encrypted as one AES-256 block, which a column of millions takes at
the speed of memory. Any other text gets an HMAC-SHA256. Both are cut to 64 bits and keyed
apart, so that neither can be made to collide with the other on purpose.

The key is taken of the text before any repair: a wrong number that is the same in two sources
still matches. What the text is, is `wanjia.kernel.identity.key_text`'s business; the bulk form
reads the clean majority in numpy and sends every other distinct text through that function,
so the two cannot disagree.
"""

from __future__ import annotations

import hmac
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from wanjia.kernel.identity import NUMBER_LENGTH, PLACEHOLDER_NUMBERS, key_text

Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.int64]
Texts: TypeAlias = "pa.Array[Any]"
ChunkedTexts: TypeAlias = "pa.ChunkedArray[Any]"

SLICE = 1 << 16  # rows at a time: 1 MiB of text and its words stay in the cache

_NUMBER_TAIL = np.frombuffer(b"wanjiaID", ">u8")[0]  # fills the block; no other use of the key has it
_ROW = np.dtype(
    {"names": ["a", "b", "c", "d"], "formats": ["<u8", "<u8", "u1", "u1"], "offsets": [0, 8, 16, 17], "itemsize": 18}
)
_ZERO, _NINE, _TEN = np.uint8(ord("0")), np.uint8(9), np.uint8(10)

# What files put round a number, all of which `normalise` removes; then a number or a certificate.
_WRAPPING = " \t\r\n'\"=`"
_PLAIN = r"^[0-9]{17}[0-9Xx](?:[0-9]{2}(?:[A-Za-z][0-9])?)?$"


class PersonKeys:
    """Makes person_keys under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._mac_key = hmac.digest(secret, b"wanjia person text 1", "sha256")
        # ECB is right here: each block is a value of its own, and equal numbers must give equal keys
        self._aes = Cipher(AES256(hmac.digest(secret, b"wanjia person number 1", "sha256")), ECB())  # noqa: S305

    def __repr__(self) -> str:
        return "<PersonKeys>"

    def one(self, text: str | None) -> int | None:
        """The key of one number as it was written; None for empty and placeholders."""
        cleaned = key_text(text) if text else None
        if cleaned is None:
            return None
        packed = pack(cleaned)
        if packed is None:
            return self._of_text(cleaned)
        return int(self._of_numbers(np.array([packed], np.uint64))[0])

    def many(self, texts: Texts | ChunkedTexts) -> pa.Int64Array:
        """The keys of a column, in its order; null for null, empty and placeholders."""
        chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
        parts: list[Texts] = []
        for chunk in chunks:
            column = _as_text(chunk)
            parts += [self._slice(column.slice(at, SLICE)) for at in range(0, len(column), SLICE)]
        return cast("pa.Int64Array", pa.concat_arrays(parts) if parts else pa.array([], pa.int64()))

    def _slice(self, texts: pa.StringArray) -> Texts:
        keys = np.zeros(len(texts), np.int64)
        known = np.zeros(len(texts), np.bool_)
        of_length = _flags(pc.equal(pc.binary_length(texts), pa.scalar(NUMBER_LENGTH)))
        self._numbers(texts, of_length, keys, known)
        if not known.all():
            self._wrapped(texts, keys, known)
        if not known.all():
            self._others(texts, keys, known)
        return pa.array(keys, mask=~known)

    def _numbers(self, texts: pa.StringArray, chosen: Flags, keys: Keys, known: Flags) -> None:
        """Fill in those of the chosen texts, all 18 bytes long, that are numbers."""
        packed, clean = _read_numbers(texts if chosen.all() else texts.filter(pa.array(chosen)))
        at = np.flatnonzero(chosen)[clean]
        keys[at] = self._of_numbers(packed[clean])
        known[at] = True

    def _wrapped(self, texts: pa.StringArray, keys: Keys, known: Flags) -> None:
        """Fill in numbers with spaces or quotes round them, and certificates."""
        rest = np.flatnonzero(~known)
        bare = pc.utf8_trim(texts.take(rest), characters=_WRAPPING)
        plain = _flags(pc.match_substring_regex(bare, _PLAIN))
        found_keys, found = np.zeros(len(rest), np.int64), np.zeros(len(rest), np.bool_)
        self._numbers(pc.utf8_slice_codeunits(bare, 0, NUMBER_LENGTH), plain, found_keys, found)
        keys[rest], known[rest] = found_keys, found

    def _others(self, texts: pa.StringArray, keys: Keys, known: Flags) -> None:
        """Fill in what is not plainly a number, asking `key_text` once for each distinct text."""
        rest = np.flatnonzero(~known & _flags(pc.is_valid(texts)))
        coded = texts.take(rest).dictionary_encode()
        answers = [self.one(text) for text in coded.dictionary.to_pylist()]
        codes = coded.indices.to_numpy()
        keys[rest] = np.array([answer or 0 for answer in answers], np.int64)[codes]
        known[rest] = np.array([answer is not None for answer in answers], np.bool_)[codes]

    def _of_numbers(self, packed: Words) -> Keys:
        blocks = np.empty((len(packed), 2), ">u8")
        blocks[:, 0] = packed
        blocks[:, 1] = _NUMBER_TAIL
        encrypted = self._aes.encryptor().update(blocks.tobytes())
        return np.frombuffer(encrypted, ">i8")[::2].astype(np.int64)

    def _of_text(self, text: str) -> int:
        return int.from_bytes(hmac.digest(self._mac_key, text.encode(), "sha256")[:8], "big", signed=True)


def pack(number: str) -> int | None:
    """17 digits and a check character as one integer below 1.1·10¹⁸; None for any other text."""
    digits, check = number[: NUMBER_LENGTH - 1], number[NUMBER_LENGTH - 1 :]
    if len(number) != NUMBER_LENGTH or not number.isascii() or not digits.isdigit():
        return None
    if check == "X":
        return int(digits) * 11 + 10
    return int(digits) * 11 + int(check) if check.isdigit() else None


def _as_text(array: Texts) -> pa.StringArray:
    return cast("pa.StringArray", array if array.type == pa.string() else array.cast(pa.string()))


def _flags(array: Texts) -> Flags:
    return np.asarray(array.fill_null(pa.scalar(False)).to_numpy(zero_copy_only=False), np.bool_)  # noqa: FBT003


def _read_numbers(texts: pa.StringArray) -> tuple[Words, Flags]:
    """The packed numbers of texts of 18 bytes each, and which of them are numbers."""
    _, offsets, data = texts.buffers()
    if len(texts) == 0 or offsets is None or data is None:
        return np.zeros(0, np.uint64), np.zeros(0, np.bool_)
    start = int(np.frombuffer(memoryview(offsets), np.int32)[texts.offset])
    rows = np.frombuffer(memoryview(data), _ROW, count=len(texts), offset=start)
    (high, high_ok), (low, low_ok) = _eight_digits(rows["a"]), _eight_digits(rows["b"])
    # below "0" the bytes wrap round, so one comparison checks both ends
    last = rows["c"] - _ZERO
    is_x = (rows["d"] == ord("X")) | (rows["d"] == ord("x"))
    check = np.where(is_x, _TEN, rows["d"] - _ZERO)
    clean = high_ok & low_ok & (last <= _NINE) & ((check <= _NINE) | is_x)
    number = (high * np.uint64(10**8) + low) * np.uint64(10) + last
    packed = number * np.uint64(11) + check
    return packed, clean & ~_doubtful(number, check, packed)


def _doubtful(number: Words, check: npt.NDArray[np.uint8], packed: Words) -> Flags:
    """Digits that may stand for nobody, which `key_text` decides: fillers, and zeros at the end."""
    return np.asarray(((check == 0) & (number % np.uint64(100) == 0)) | np.isin(packed, _FILLERS))


_FILLERS = np.array(
    [
        value
        for text in (*(digit * NUMBER_LENGTH for digit in "0123456789"), *sorted(PLACEHOLDER_NUMBERS))
        if (value := pack(text)) is not None
    ],
    np.uint64,
)


def _eight_digits(words: npt.NDArray[np.uint64]) -> tuple[Words, Flags]:
    """Eight ASCII digits in each little-endian word, read at once, and whether all are digits."""
    w = words.copy()  # aligned
    tens = np.uint64(0xF0F0F0F0F0F0F0F0)
    ok = ((w & tens) | (((w + np.uint64(0x0606060606060606)) & tens) >> np.uint64(4))) == np.uint64(0x3333333333333333)
    w = ((w & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(2561)) >> np.uint64(8)
    w = ((w & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    w = ((w & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return w, np.asarray(ok)
