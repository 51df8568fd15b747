"""Key files: made once, private, and refused with a cure when anything is wrong with them."""

from __future__ import annotations

import base64
import stat

import pytest

from wanjia.protection.errors import (
    KeyFileExists,
    KeyFileExposed,
    KeyFileMalformed,
    KeyFileMissing,
    Unreadable,
)
from wanjia.protection.keys import FIELD, PERSON, Keyring


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "fresh" / "keys"


def test_new_keys_are_private_and_open_again(folder):
    made = Keyring.create(folder)
    for name in (PERSON, FIELD):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    opened = Keyring.open(folder)
    assert opened.person_key("459999197602290012") == made.person_key("459999197602290012")
    assert opened.cipher.decrypt(made.cipher.encrypt("覃某", "a"), "a") == "覃某"
    assert opened.fingerprints == made.fingerprints


def test_keys_are_never_overwritten(folder):
    Keyring.create(folder)
    before = (folder / PERSON).read_bytes()
    with pytest.raises(KeyFileExists):
        Keyring.create(folder)
    (folder / FIELD).unlink()
    with pytest.raises(KeyFileExists):
        Keyring.create(folder)
    assert (folder / PERSON).read_bytes() == before
    assert not (folder / FIELD).exists()


def test_two_installations_have_nothing_in_common(tmp_path):
    one, other = Keyring.create(tmp_path / "a"), Keyring.create(tmp_path / "b")
    assert one.person_key("459999197602290012") != other.person_key("459999197602290012")
    assert not set(one.fingerprints.values()) & set(other.fingerprints.values())
    with pytest.raises(Unreadable):
        other.cipher.decrypt(one.cipher.encrypt("覃某", "a"), "a")


@pytest.mark.parametrize("name", [PERSON, FIELD])
def test_a_missing_file_is_named(folder, name):
    Keyring.create(folder)
    (folder / name).unlink()
    with pytest.raises(KeyFileMissing) as refused:
        Keyring.open(folder)
    assert name in refused.value.sentences("zh")[0]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_others_can_read_is_refused(folder, mode):
    Keyring.create(folder)
    (folder / FIELD).chmod(mode)
    with pytest.raises(KeyFileExposed) as refused:
        Keyring.open(folder)
    assert refused.value.values["mode"] == f"{mode:04o}"


GOOD = base64.b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "1 aes-256 2020-11-16\n",
        f"0 aes-256 2020-11-16 {GOOD}\n",
        f"256 aes-256 2020-11-16 {GOOD}\n",
        f"one aes-256 2020-11-16 {GOOD}\n",
        f"1 des 2020-11-16 {GOOD}\n",
        f"1 aes-256 2020-11-16 {GOOD[:-8]}\n",
        "1 aes-256 2020-11-16 not base64!!\n",
        f"1 aes-256 2020-11-16 {GOOD}\n1 aes-256 2020-11-17 {GOOD}\n",
        "\x00\xff\n",
    ],
)
def test_a_file_that_is_no_key_file_is_refused_without_showing_it(folder, text):
    Keyring.create(folder)
    (folder / FIELD).write_text(text, "utf-8")
    with pytest.raises(KeyFileMalformed) as refused:
        Keyring.open(folder)
    assert GOOD[:12] not in str(refused.value)


def test_there_is_exactly_one_person_key(folder):
    Keyring.create(folder)
    with (folder / PERSON).open("a") as file:
        file.write(f"2 aes-256 2020-11-16 {GOOD}\n")
    with pytest.raises(KeyFileMalformed):
        Keyring.open(folder)


def test_after_rotation_old_values_open_and_new_ones_carry_the_new_key(folder):
    first = Keyring.create(folder)
    old = first.cipher.encrypt("13800008000", "t.c:1")
    second = first.rotate()
    new = second.cipher.encrypt("13800008000", "t.c:1")
    assert (old[0], new[0]) == (1, 2)
    assert second.cipher.decrypt(old, "t.c:1") == second.cipher.decrypt(new, "t.c:1") == "13800008000"
    assert second.person_key("459999197602290012") == first.person_key("459999197602290012")
    with pytest.raises(Unreadable, match="key 2"):
        first.cipher.decrypt(new, "t.c:1")
    assert stat.S_IMODE((folder / FIELD).stat().st_mode) == 0o600
    assert [file.name for file in sorted(folder.iterdir())] == [FIELD, PERSON]
    assert first.fingerprints.items() < second.fingerprints.items()


def test_a_keyring_shows_no_secret(folder):
    ring = Keyring.create(folder)
    secret = (folder / PERSON).read_text().split()[-1]
    for shown in (repr(ring), repr(ring.cipher), repr(ring._person), str(ring.fingerprints)):
        assert secret not in shown
        assert base64.b64decode(secret).hex() not in shown


def test_keys_appear_together_or_not_at_all(tmp_path, monkeypatch):
    """A process that dies after the first file leaves no folder, and the next one makes both."""
    written, place = [], tmp_path / "place"
    place.mkdir()

    def dying(path, text):
        if written:
            raise OSError("the disk went away")
        written.append(path)
        path.write_text(text, "utf-8")

    with monkeypatch.context() as patch:
        patch.setattr("wanjia.protection.keys._write_new", dying)
        with pytest.raises(OSError, match="went away"):
            Keyring.create(place / "keys")
    assert list(place.iterdir()) == []
    assert Keyring.create(place / "keys").fingerprints


def test_a_folder_that_holds_something_is_not_replaced(tmp_path):
    place = tmp_path / "place"
    (place / "keys").mkdir(parents=True)
    (place / "keys" / "letter.txt").write_text("mine", "utf-8")

    with pytest.raises(KeyFileExists):
        Keyring.create(place / "keys")
    assert [item.name for item in place.rglob("*")] == ["keys", "letter.txt"]
