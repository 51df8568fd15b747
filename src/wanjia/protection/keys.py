"""The installation's keys: files outside the database, made once, read at start.

    <home>/keys/person.key    one key; person_key is taken with it and it never changes
    <home>/keys/field.key     one line per key; the last encrypts, the others still decrypt

A line is `id algorithm day base64`. Losing these files loses every encrypted value and every
join on person_key, so they are copied to a safe place apart from the database's backup; with
the files anybody could enumerate the numbers behind the keys (there are only about 4·10⁹).
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wanjia.kernel import clock
from wanjia.protection.ciphers import FieldCipher
from wanjia.protection.errors import KeyFileExists, KeyFileExposed, KeyFileMalformed, KeyFileMissing
from wanjia.protection.person_key import ChunkedTexts, PersonKeys, Texts
from wanjia.protection.phone_key import PhoneKeys

if TYPE_CHECKING:
    import pyarrow as pa

PERSON = "person.key"
FIELD = "field.key"
ALGORITHM = "aes-256"
LENGTH = 32
HIGHEST_ID = 255

_NOTE = (
    "# Wanjia key file. Keep it secret (mode 0600) and keep a copy apart from the database:\n"
    "# without it nothing encrypted can be read again. One key a line; the last one is in use.\n"
)


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """One secret of a key file; `number` is the first byte of what it encrypts."""

    number: int
    secret: bytes

    @property
    def fingerprint(self) -> str:
        """Tells this key from another without telling anything about it; kept in the database."""
        return hmac.digest(self.secret, b"wanjia key check 1", "sha256").hex()[:32]

    def __repr__(self) -> str:
        return f"<Key {self.number}>"


class Keyring:
    """The keys of one installation, ready for use."""

    def __init__(self, folder: Path, person: Key, fields: Mapping[int, Key]) -> None:
        self.folder = folder
        self._person = person
        self._fields = dict(fields)
        self._person_keys = PersonKeys(person.secret)
        self._phone_keys = PhoneKeys(person.secret)
        newest = next(reversed(self._fields))
        self.cipher = FieldCipher({number: key.secret for number, key in fields.items()}, newest)

    def __repr__(self) -> str:
        return f"<Keyring {self.folder}>"

    @classmethod
    def create(cls, folder: Path) -> Keyring:
        """Make the keys of a new installation. Raises KeyFileExists; never overwrites.

        The folder appears with both files or not at all: half a set of keys would look like one
        that was lost, and ask for a backup nobody has.
        """
        for name in (PERSON, FIELD):
            if (folder / name).exists():
                raise KeyFileExists(file=folder / name)
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder.with_name(f".{folder.name}.{os.getpid()}")
        fresh.mkdir(mode=0o700)
        try:
            for name in (PERSON, FIELD):
                _write_new(fresh / name, _NOTE + _line(1))
            _sync(fresh)
            fresh.rename(folder)  # replaces an empty folder, never one that holds something
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
            if folder.is_dir() and any(folder.iterdir()):
                raise KeyFileExists(file=folder) from None
            raise
        _sync(folder.parent)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Keyring:
        """Read the keys. Raises KeyFileMissing, KeyFileMalformed or KeyFileExposed."""
        person, fields = _read(folder / PERSON), _read(folder / FIELD)
        if len(person) != 1:
            raise KeyFileMalformed(file=folder / PERSON, line=len(person) + 1)
        return cls(folder, next(iter(person.values())), fields)

    def rotate(self) -> Keyring:
        """Add a field key and make it the one in use; what older keys wrote stays readable."""
        file = self.folder / FIELD
        number = max(self._fields) + 1
        if number > HIGHEST_ID:
            raise ValueError(f"{file} holds {HIGHEST_ID} keys; re-encrypt and drop old ones first")
        fresh = file.with_name(f".{FIELD}.{os.getpid()}")
        _write_new(fresh, file.read_text("utf-8") + _line(number))
        fresh.replace(file)  # whoever reads meanwhile sees the old file or the new one, whole
        _sync(self.folder)
        return Keyring.open(self.folder)

    @property
    def fingerprints(self) -> dict[str, str]:
        """What the database remembers of these keys: `person.key/1`, `field.key/1` … → fingerprint."""
        known = {f"{FIELD}/{number}": key.fingerprint for number, key in self._fields.items()}
        return {f"{PERSON}/{self._person.number}": self._person.fingerprint} | known

    def person_key(self, text: str | None) -> int | None:
        """The key of one number as it was written; None for empty and placeholders."""
        return self._person_keys.one(text)

    def content_digest(self) -> hmac.HMAC:
        """A running keyed digest that names stored files by their content.

        Keyed, because whoever sees the file names could otherwise tell whether a given photo or
        form is among them. It hangs on the person key, which never changes, so names stay.
        """
        return hmac.new(hmac.digest(self._person.secret, b"wanjia file name 1", "sha256"), digestmod="sha256")

    def person_keys(self, texts: Texts | ChunkedTexts) -> pa.Int64Array:
        """`person_key` for a column of strings."""
        return self._person_keys.many(texts)

    def phone_key(self, text: str | None) -> int | None:
        """The key of one telephone number; None for empty and for what is none.

        It hangs on the person key, which never changes, so it stays when the field keys are rotated.
        """
        return self._phone_keys.one(text)

    def phone_keys(self, texts: Texts | ChunkedTexts) -> pa.Int64Array:
        """`phone_key` for a column of strings."""
        return self._phone_keys.many(texts)


def _line(number: int) -> str:
    secret = base64.b64encode(secrets.token_bytes(LENGTH)).decode()
    return f"{number} {ALGORITHM} {clock.today().isoformat()} {secret}\n"


def _write_new(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    _sync(file.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(file: Path) -> dict[int, Key]:
    try:
        handle = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        raise KeyFileMissing(file=file) from None
    with os.fdopen(handle, "rb") as stream:
        # of the opened file, so that nothing can be put in its place in between
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        if mode & 0o077:
            raise KeyFileExposed(file=file, mode=f"{mode:04o}")
        lines = stream.read().splitlines()
    keys: dict[int, Key] = {}
    for place, line in enumerate(lines, 1):
        if not line.strip() or line.startswith(b"#"):
            continue
        key = _parse(line)
        if key is None or key.number in keys:
            raise KeyFileMalformed(file=file, line=place)
        keys[key.number] = key
    if not keys:
        raise KeyFileMalformed(file=file, line=len(lines) + 1)
    return keys


def _parse(line: bytes) -> Key | None:
    try:
        first, algorithm, _made_on, encoded = line.split()
        number, secret = int(first), base64.b64decode(encoded, validate=True)
    except ValueError:  # binascii.Error is one
        return None
    if algorithm != ALGORITHM.encode():
        return None
    return Key(number, secret) if len(secret) == LENGTH and 1 <= number <= HIGHEST_ID else None
