"""A cipher that hides nothing, for tests that must read columns. scope.E102 refuses it elsewhere."""

from __future__ import annotations


class NullCipher:
    current = 0

    def encrypt(self, plain: str, aad: str) -> bytes:
        return b"\x00" + plain.encode()

    def decrypt(self, blob: bytes, aad: str) -> str:
        return blob[1:].decode()
