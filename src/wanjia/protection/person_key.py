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
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

NUMBER = 18
SLICE = 1 << 16  # rows at a time: 1 MiB of text and its words stay in the cache

_NUMBER_TAIL = np.frombuffer(b"wanjiaID", ">u8")[0]  # fills the block; no other use of the key has it
# Numbers that are often typed to fill a field: whether they stand for anybody, the slow path asks key_text.
_UNCLEAR = np.array(
    [int(digit * 17) * 11 + int(digit) for digit in "0123456789"] + [int("12345678901234567") * 11 + 8], np.uint64
)
_ROW = np.dtype({"names": ["a", "b", "c", "d"], "formats": ["<u8", "<u8", "u1", "u1"], "offsets": [0, 8, 16, 17], "itemsize": NUMBER})  # fmt: skip


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
        from wanjia.kernel.identity import key_text

        cleaned = key_text(text) if text else None
        if cleaned is None:
            return None
        packed = pack(cleaned)
        if packed is None:
            return self._of_text(cleaned)
        return int(self._of_numbers(np.array([packed], np.uint64))[0])

    def many(self, texts: pa.Array | pa.ChunkedArray) -> pa.Int64Array:
        """The keys of a column, in its order; null for null, empty and placeholders."""
        chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
        parts: list[pa.Array] = []
        for chunk in chunks:
            column = _as_text(chunk)
            parts += [self._slice(column.slice(at, SLICE)) for at in range(0, len(column), SLICE)]
        return pa.concat_arrays(parts) if parts else pa.array([], pa.int64())

    def _slice(self, texts: pa.Array) -> pa.Array:
        keys = np.zeros(len(texts), np.int64)
        known = np.zeros(len(texts), np.bool_)
        long_enough = _flags(pc.equal(pc.binary_length(texts), NUMBER))
        packed, clean = _read_numbers(texts if long_enough.all() else texts.filter(pa.array(long_enough)))
        at = np.flatnonzero(long_enough)[clean]
        keys[at] = self._of_numbers(packed[clean])
        known[at] = True
        if len(at) < len(texts):
            rest = np.flatnonzero(~known & _flags(pc.is_valid(texts)))
            keys[rest], known[rest] = self._others(texts.take(pa.array(rest)))
        return pa.array(keys, mask=~known)

    def _others(self, texts: pa.Array) -> tuple[npt.NDArray[np.int64], Flags]:
        """Keys of what is not plainly a number, each distinct text once."""
        coded = texts.dictionary_encode()
        keys = [self.one(text) for text in coded.dictionary.to_pylist()]
        values = np.array([key or 0 for key in keys], np.int64)
        present = np.array([key is not None for key in keys], np.bool_)
        codes = coded.indices.to_numpy()
        return values[codes], present[codes]

    def _of_numbers(self, packed: Words) -> npt.NDArray[np.int64]:
        blocks = np.empty((len(packed), 2), ">u8")
        blocks[:, 0] = packed
        blocks[:, 1] = _NUMBER_TAIL
        encrypted = self._aes.encryptor().update(blocks.tobytes())
        return np.frombuffer(encrypted, ">i8")[::2].astype(np.int64)

    def _of_text(self, text: str) -> int:
        return int.from_bytes(hmac.digest(self._mac_key, text.encode(), "sha256")[:8], "big", signed=True)


def pack(number: str) -> int | None:
    """17 digits and a check character as one integer below 1.1·10¹⁸; None for any other text."""
    digits, check = number[: NUMBER - 1], number[NUMBER - 1 :]
    if len(number) != NUMBER or not number.isascii() or not digits.isdigit() or not (check.isdigit() or check == "X"):
        return None
    return int(digits) * 11 + (10 if check == "X" else int(check))


def _as_text(array: pa.Array) -> pa.Array:
    return array if array.type == pa.string() else array.cast(pa.string())


def _flags(array: pa.Array) -> Flags:
    return pc.fill_null(array, False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _read_numbers(texts: pa.Array) -> tuple[Words, Flags]:
    """The packed numbers of texts of 18 bytes each, and which of them are numbers."""
    offsets, data = texts.buffers()[1], texts.buffers()[2]
    if len(texts) == 0 or data is None:
        return np.zeros(0, np.uint64), np.zeros(0, np.bool_)
    start = np.frombuffer(offsets, np.int32)[texts.offset]
    rows = np.frombuffer(data, _ROW, count=len(texts), offset=int(start))
    (high, high_ok), (low, low_ok) = _eight_digits(rows["a"]), _eight_digits(rows["b"])
    last = rows["c"] - np.uint8(48)  # wraps round below "0", so one comparison checks both ends
    check = rows["d"] - np.uint8(48)
    check = np.where((rows["d"] == ord("X")) | (rows["d"] == ord("x")), np.uint8(10), check)
    letter = check == 10
    letter &= rows["d"] != 58  # ":" is the byte after "9", not an X
    clean = high_ok & low_ok & (last <= 9) & ((check <= 9) | letter)
    number = (high * np.uint64(10**8) + low) * np.uint64(10) + last
    packed = number * np.uint64(11) + check
    return packed, clean & ~np.isin(packed, _UNCLEAR)


def _eight_digits(words: npt.NDArray[np.uint64]) -> tuple[Words, Flags]:
    """Eight ASCII digits in each little-endian word, read at once, and whether all are digits."""
    w = words.copy()  # aligned
    tens = np.uint64(0xF0F0F0F0F0F0F0F0)
    ok = ((w & tens) | (((w + np.uint64(0x0606060606060606)) & tens) >> np.uint64(4))) == np.uint64(0x3333333333333333)
    w = ((w & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(2561)) >> np.uint64(8)
    w = ((w & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    w = ((w & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return w, ok
