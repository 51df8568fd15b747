"""AES-256-GCM for single values and for files.

A value is `key id (1 byte) | nonce (12) | ciphertext | tag (16)`, bound by its additional
data to table, column and row, so that it opens nowhere else. Nonces are random: with 2³²
values under one key the chance of a repeat is still below 2⁻³², and keys rotate.

A file is `magic (8) | key id (1) | salt (16)`, then chunks of at most 64 KiB, each with its
tag, under a key of the file's own (HKDF of field key and salt). The nonce is the chunk's
number and whether it is the last, so a chunk that is moved, repeated, dropped or cut off at
the end does not open (the construction of STREAM: Hoang, Reyhanitabar, Rogaway, Vizár 2015).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wanjia.protection.errors import Unreadable

NONCE = 12
TAG = 16
CHUNK = 64 * 1024
MAGIC = b"WJSTRM1\n"
SALT = 16
HEADER = len(MAGIC) + 1 + SALT


class FieldCipher:
    """Encrypts with the newest field key, decrypts with whichever a value names."""

    protects = True

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        self._keys = dict(keys)
        self._current = current
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}

    def __repr__(self) -> str:
        return f"<FieldCipher key {self._current} of {len(self._keys)}>"

    @property
    def current(self) -> int:
        """The id of the key new values are written with."""
        return self._current

    def encrypt(self, plain: str, aad: str) -> bytes:
        """`plain` as stored; it opens only with the same `aad`."""
        nonce = os.urandom(NONCE)
        sealed = self._ciphers[self._current].encrypt(nonce, plain.encode(), aad.encode())
        return bytes((self._current,)) + nonce + sealed

    def decrypt(self, blob: bytes, aad: str) -> str:
        """The text `encrypt` was given. Raises Unreadable."""
        if len(blob) < 1 + NONCE + TAG:
            raise Unreadable(reason="too short")
        cipher = self._ciphers.get(blob[0])
        if cipher is None:
            raise Unreadable(reason=f"key {blob[0]} is not in field.key")
        try:
            return cipher.decrypt(blob[1 : 1 + NONCE], blob[1 + NONCE :], aad.encode()).decode()
        except InvalidTag:
            raise Unreadable(reason="altered, or belongs to another row") from None

    def encrypt_many(self, plains: Iterable[str | None], aads: Iterable[str]) -> list[bytes | None]:
        """`encrypt` for a column; None stays None. Raises ValueError when the lengths differ."""
        texts, contexts = list(plains), list(aads)
        if len(texts) != len(contexts):
            raise ValueError(f"{len(texts)} values with {len(contexts)} contexts")
        seal = self._ciphers[self._current].encrypt
        key_id = bytes((self._current,))
        nonces = os.urandom(NONCE * len(texts))  # one call into the system instead of one per value
        sealed: list[bytes | None] = []
        keep = sealed.append
        at = 0
        for text, context in zip(texts, contexts, strict=True):
            if text is None:
                keep(None)
            else:
                nonce = nonces[at : at + NONCE]
                keep(key_id + nonce + seal(nonce, text.encode(), context.encode()))
            at += NONCE
        return sealed

    def decrypt_many(self, blobs: Sequence[bytes | None], aads: Sequence[str]) -> list[str | None]:
        """`decrypt` for a column; None stays None."""
        return [None if blob is None else self.decrypt(blob, aad) for blob, aad in zip(blobs, aads, strict=True)]

    def seal_stream(self, source: Iterable[bytes], aad: str = "") -> Iterator[bytes]:
        """The parts of `source` (of any size) as an encrypted file, a chunk at a time.

        Nothing but the final chunk's tag proves the end, so a consumer that stops early has
        written a file that does not open.
        """
        salt = os.urandom(SALT)
        yield MAGIC + bytes((self._current,)) + salt
        cipher = self._file_cipher(self._current, salt)
        context = aad.encode()
        for number, (chunk, last) in enumerate(_chunks(source, CHUNK)):
            yield cipher.encrypt(_nonce(number, last=last), chunk, context)

    def open_stream(self, source: Iterable[bytes], aad: str = "") -> Iterator[bytes]:
        """The clear chunks of an encrypted file, each checked before it is handed on.

        Raises Unreadable at the first chunk that is altered, misplaced or missing; a consumer
        must not use what came before until the iterator has ended.
        """
        parts = iter(source)
        head = b""
        for part in parts:
            head += part
            if len(head) >= HEADER:
                break
        if len(head) < HEADER or not head.startswith(MAGIC):
            raise Unreadable(reason="not an encrypted file")
        cipher = self._file_cipher(head[len(MAGIC)], head[len(MAGIC) + 1 : HEADER])
        context = aad.encode()
        for number, (chunk, last) in enumerate(_chunks(_chained(head[HEADER:], parts), CHUNK + TAG)):
            try:
                yield cipher.decrypt(_nonce(number, last=last), chunk, context)
            except InvalidTag:
                raise Unreadable(reason="altered, cut off, or out of order") from None

    def _file_cipher(self, key_id: int, salt: bytes) -> AESGCM:
        key = self._keys.get(key_id)
        if key is None:
            raise Unreadable(reason=f"key {key_id} is not in field.key")
        return AESGCM(HKDF(SHA256(), 32, salt, b"wanjia file 1").derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((last,))


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _chunks(source: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """`source` cut into pieces of `size`, each with whether it is the last; at least one piece."""
    waiting = bytearray()
    for part in source:
        waiting += part
        while len(waiting) > size:  # a full piece is handed on only when something follows it
            yield bytes(waiting[:size]), False
            del waiting[:size]
    yield bytes(waiting), True
