"""A cipher that hides nothing, for tests that must read columns. scope.E102 refuses it elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


class NullCipher:
    protects = False
    current = 0

    def encrypt(self, plain: str, aad: str) -> bytes:
        return b"\x00" + plain.encode()

    def decrypt(self, blob: bytes, aad: str) -> str:
        return blob[1:].decode()

    def encrypt_many(self, plains: Iterable[str | None], aads: Iterable[str]) -> list[bytes | None]:
        return [None if text is None else self.encrypt(text, aad) for text, aad in zip(plains, aads, strict=True)]

    def decrypt_many(self, blobs: Sequence[bytes | None], aads: Sequence[str]) -> list[str | None]:
        return [None if blob is None else self.decrypt(blob, aad) for blob, aad in zip(blobs, aads, strict=True)]

    def seal_stream(self, source: Iterable[bytes], aad: str = "") -> Iterator[bytes]:
        yield from source

    def open_stream(self, source: Iterable[bytes], aad: str = "") -> Iterator[bytes]:
        yield from source
