"""Values and files open only where they belong, whole, and with the right key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.protection.ciphers import CHUNK, HEADER, TAG, FieldCipher
from wanjia.protection.errors import Unreadable

CIPHER = FieldCipher({1: b"a" * 32, 2: b"b" * 32}, current=2)


@given(st.text(), st.text())
def test_a_value_opens_in_its_own_place(plain, aad):
    blob = CIPHER.encrypt(plain, aad)
    assert blob[0] == 2
    assert CIPHER.decrypt(blob, aad) == plain
    with pytest.raises(Unreadable):
        CIPHER.decrypt(blob, aad + ".")


@given(st.text(min_size=1), st.data())
def test_a_changed_byte_is_noticed(plain, data):
    blob = bytearray(CIPHER.encrypt(plain, "t.c:1"))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unreadable):
        CIPHER.decrypt(bytes(blob), "t.c:1")


@pytest.mark.parametrize("blob", [b"", b"\x02", b"\x02" + b"x" * 27, b"\x00" * 60, b"\x09" * 60])
def test_what_is_no_ciphertext_is_refused(blob):
    with pytest.raises(Unreadable):
        CIPHER.decrypt(blob, "t.c:1")


def test_equal_values_look_different():
    assert len({CIPHER.encrypt("13800008000", "t.c:1") for _ in range(200)}) == 200


@given(st.lists(st.none() | st.text(max_size=30), max_size=30))
def test_a_column_is_encrypted_like_its_values(plains):
    aads = [f"t.c:{number}" for number in range(len(plains))]
    blobs = CIPHER.encrypt_many(plains, aads)
    assert CIPHER.decrypt_many(blobs, aads) == plains
    assert len({blob for blob in blobs if blob}) == len([plain for plain in plains if plain is not None])


def test_a_column_needs_a_context_for_each_value():
    with pytest.raises(ValueError, match="2 values with 1 contexts"):
        CIPHER.encrypt_many(["a", "b"], ["t.c:1"])


SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]


def _sealed(plain: bytes, piece: int = 10_000, aad: str = "f") -> bytes:
    return b"".join(CIPHER.seal_stream((plain[at : at + piece] for at in range(0, len(plain), piece)), aad))


def _opened(sealed: bytes, piece: int = 7_001, aad: str = "f") -> bytes:
    return b"".join(CIPHER.open_stream((sealed[at : at + piece] for at in range(0, len(sealed), piece)), aad))


@pytest.mark.parametrize("size", SIZES)
def test_a_file_comes_back_whatever_the_pieces(size):
    plain = bytes(number % 251 for number in range(size))
    sealed = _sealed(plain)
    assert _opened(sealed) == plain
    assert _opened(sealed, piece=max(1, len(sealed))) == plain
    if size < 100:
        assert _opened(sealed, piece=1) == plain
    assert plain[:1000] not in sealed or not plain[16:]


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_file_cut_anywhere_does_not_open(size):
    sealed = _sealed(b"x" * size)
    cuts = {0, 5, HEADER - 1, HEADER, HEADER + 1, HEADER + CHUNK + TAG, len(sealed) - TAG, len(sealed) - 1}
    for cut in cuts:
        if cut < len(sealed):
            with pytest.raises(Unreadable):
                _opened(sealed[:cut])


def test_chunks_cannot_be_swapped_repeated_dropped_or_added():
    sealed = _sealed(b"a" * CHUNK + b"b" * CHUNK + b"c" * CHUNK)
    head, body = sealed[:HEADER], sealed[HEADER:]
    size = CHUNK + TAG
    first, second, third = body[:size], body[size : 2 * size], body[2 * size :]
    for forged in (second + first + third, first + third, first + second, first + second + third + third, third):
        with pytest.raises(Unreadable):
            _opened(head + forged)
    assert _opened(head + first + second + third)[-1:] == b"c"


def test_a_file_opens_only_as_what_it_was_stored_as():
    sealed = _sealed(b"photo", aad="files/17")
    with pytest.raises(Unreadable):
        _opened(sealed, aad="files/18")
    with pytest.raises(Unreadable, match="not an encrypted file"):
        _opened(b"PK\x03\x04" + sealed)


def test_a_file_is_read_as_a_stream():
    def endless():
        while True:
            yield b"x" * CHUNK

    sealed = CIPHER.seal_stream(endless())
    next(sealed)
    assert len(next(sealed)) == CHUNK + TAG


def test_two_copies_of_a_file_share_no_key_stream():
    assert _sealed(b"x" * 100)[HEADER:] != _sealed(b"x" * 100)[HEADER:]
