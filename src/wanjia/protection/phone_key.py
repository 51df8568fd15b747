"""phone_key: the 64-bit keyed value by which an encrypted telephone number is found, whole and only whole.

There are about 10¹⁰ numbers, so without the key the value tells nothing, and with it everything, as a
person_key does. The number is taken without what people write round and into it: spaces, hyphens,
brackets, the country's own code. Clean numbers of a column are encrypted together as AES blocks.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from wanjia.protection.person_key import ChunkedTexts, Keys, Texts, Words

MOBILE = r"^1[0-9]{10}$"
_TAIL = np.frombuffer(b"wanjiaTL", ">u8")[0]
_BETWEEN = re.compile(r"[\s\-‐-―()/.·]+")
_ABROAD = re.compile(r"(?:\+|00)?86(?=1[0-9]{10}$)")
_NUMBER = re.compile(r"[0-9]{7,12}")  # 7 and 8 without the code of the place, 10 to 12 with it


def phone_text(text: str) -> str | None:
    """The digits of a telephone number as they are compared; None for what is none.

    >>> phone_text("+86 138-0013-8000"), phone_text("(0778)5212345"), phone_text("无")
    ('13800138000', '07785212345', None)
    """
    plain = _ABROAD.sub("", _BETWEEN.sub("", unicodedata.normalize("NFKC", text)))
    return plain if _NUMBER.fullmatch(plain) and len(set(plain)) > 1 else None


class PhoneKeys:
    """Makes phone_keys under one secret."""

    def __init__(self, secret: bytes) -> None:
        # ECB is right here: each block is a value of its own, and equal numbers must give equal keys
        self._aes = Cipher(AES256(hmac.digest(secret, b"wanjia phone number 1", "sha256")), ECB())  # noqa: S305

    def __repr__(self) -> str:
        return "<PhoneKeys>"

    def one(self, text: str | None) -> int | None:
        """The key of one number; None for what is no telephone number."""
        number = phone_text(text) if text else None
        return None if number is None else int(self._of(np.array([_packed(number)], np.uint64))[0])

    def many(self, texts: Texts | ChunkedTexts) -> pa.Int64Array:
        """The keys of a column, in its order; null where there is no number."""
        column = (texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts).cast(pa.string())
        mobile = pc.fill_null(pc.match_substring_regex(column, MOBILE), fill_value=False)
        mobile = pc.and_(mobile, pc.fill_null(pc.not_equal(column, "1" * 11), fill_value=False))
        clean = np.asarray(mobile.to_numpy(zero_copy_only=False), np.bool_)
        keys, known = np.zeros(len(column), np.int64), clean.copy()
        digits = pc.cast(column.filter(pa.array(clean)), pa.uint64()).to_numpy(zero_copy_only=False)
        keys[clean] = self._of(digits + np.uint64(10**11))
        rest = np.flatnonzero(~clean & np.asarray(column.is_valid().to_numpy(zero_copy_only=False), np.bool_))
        for at, text in zip(rest.tolist(), column.take(pa.array(rest)).to_pylist(), strict=True):
            if (key := self.one(text)) is not None:
                keys[at], known[at] = key, True
        return cast("pa.Int64Array", pa.array(keys, mask=~known))

    def _of(self, packed: Words) -> Keys:
        blocks = np.empty((len(packed), 2), ">u8")
        blocks[:, 0] = packed
        blocks[:, 1] = _TAIL
        return np.frombuffer(self._aes.encryptor().update(blocks.tobytes()), ">i8")[::2].astype(np.int64)


def _packed(number: str) -> int:
    return int(f"1{number}")  # a leading zero counts
