"""A backup made while the site runs, brought to an empty machine, is the installation it was."""

import json
import sqlite3
from contextlib import closing
from random import Random

import pytest

from tests.backup.installation import METER, database_is_empty
from wanjia.backup import manifest as manifests
from wanjia.backup import places, tables
from wanjia.backup.errors import (
    BackupDamaged,
    BackupNewer,
    HomeNotEmpty,
    KeysBesideData,
    KeysMissing,
    NotABackup,
    OtherDatabase,
    TargetInsideHome,
    TargetInUse,
)
from wanjia.backup.make import back_up
from wanjia.backup.restore import restore, verify
from wanjia.protection.keys import Keyring


@pytest.mark.real_clock
def test_what_was_saved_is_there_again_and_works(county, saved, empty):
    said = empty.wanjia("restore", saved.folder, "--keys", saved.keys)

    assert said["digest"] == saved.said["digest"]
    assert [said[name] for name in ("files", "bytes", "tables", "rows")] == [
        saved.said[name] for name in ("files", "bytes", "tables", "rows")
    ]
    there, here = county.told("tests.backup.look", "compare"), empty.told("tests.backup.look", "compare")
    assert here == there
    assert here["signed_in"] == 302
    assert here["household"] == 200
    assert here["is_a_picture"]
    assert here["leaves"] > 0
    assert len(here["again"]) == 64
    assert len(here["sealed"]["digest"]) == 64
    assert here["sealed"]["as_promised"]
    published, known = here["sealed"]["wages"]
    assert published != known == 432_100  # the correction came along, and the published figure stayed
    assert oct(empty.home.stat().st_mode)[-3:] == "700"
    assert sorted(item.name for item in empty.home.iterdir() if item.name.endswith(("restoring", "unfinished"))) == []


@pytest.mark.real_clock
def test_a_second_backup_shares_what_is_unchanged_and_has_the_same_digest(county, saved, tmp_path):
    said = county.wanjia("backup", tmp_path / "second", "--base", saved.folder)
    first, second = manifests.load(saved.folder), manifests.load(tmp_path / "second")

    shared = [name for name in second.files if (tmp_path / "second" / name).stat().st_nlink > 1]
    assert len(shared) == said["linked"] > 0
    assert {name: first.files[name] for name in shared} == {name: second.files[name] for name in shared}
    verify(tmp_path / "second", second, METER)


def test_a_backup_is_private_and_holds_no_key(county, saved):
    secrets = [
        line.split()[-1]
        for name in ("person.key", "field.key")
        for line in (county.home / "keys" / name).read_bytes().splitlines()
        if not line.startswith(b"#")
    ]
    files = [item for item in saved.folder.rglob("*") if item.is_file()]

    assert {oct(item.stat().st_mode)[-3:] for item in files} == {"600"}
    assert {oct(item.stat().st_mode)[-3:] for item in saved.folder.rglob("*") if item.is_dir()} == {"700"}
    assert not [item for item in files for secret in secrets if secret in item.read_bytes()]
    assert manifests.load(saved.folder).keys == Keyring.open(saved.keys).fingerprints


def test_nobody_stays_signed_in(saved):
    found = {table.name for table in manifests.load(saved.folder).tables}

    assert "accounts_user" in found
    assert "django_session" not in found
    if places.vendor() == "sqlite":
        with closing(sqlite3.connect(saved.folder / "database.sqlite3")) as opened:
            assert opened.execute("SELECT count(*) FROM django_session").fetchone() == (0,)


def test_every_random_damage_is_found_and_named(copy):
    random, manifest = Random(20201116), manifests.load(copy)
    names = sorted(manifest.files)

    for number in range(120):
        name = manifests.NAME if number % 10 == 0 else random.choice(names)
        path = copy / name
        whole = path.read_bytes()
        match random.randrange(4):
            case 0:
                place = random.randrange(len(whole))
                path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << random.randrange(8)]) + whole[place + 1 :])
            case 1:
                path.write_bytes(whole[: random.randrange(len(whole))])
            case 2:
                start = random.randrange(len(whole))
                zeros = bytes(min(512, len(whole) - start))
                path.write_bytes(whole[:start] + zeros + whole[start + len(zeros) :])
            case _:
                path.unlink()
        if path.exists() and path.read_bytes() == whole:  # zeros over zeros harm nothing
            continue
        with pytest.raises((BackupDamaged, NotABackup)) as refused:
            verify(copy, manifests.load(copy), METER)
        assert refused.type is NotABackup or refused.value.values["files"] == name
        path.write_bytes(whole)
    verify(copy, manifests.load(copy), METER)


@pytest.mark.real_clock
def test_a_damaged_backup_is_refused_with_nothing_begun(copy, saved, empty):
    (copy / "demo.json").write_bytes(b"{}")

    assert empty.refused("restore", copy, "--keys", saved.keys) == "backup.damaged"
    assert not empty.home.exists()
    assert database_is_empty(empty)


def test_without_its_keys_a_backup_is_not_restored(saved, settings, tmp_path):
    settings.WANJIA_HOME = tmp_path / "machine"
    Keyring.create(tmp_path / "other")

    with pytest.raises(KeysMissing):
        restore(saved.folder, meter=METER)
    with pytest.raises(KeysMissing, match=r"person\.key/1"):
        restore(saved.folder, meter=METER, keys=tmp_path / "other")
    assert not (tmp_path / "machine").exists()


def test_a_home_that_holds_something_is_left_alone(saved, settings, tmp_path):
    settings.WANJIA_HOME = tmp_path / "machine"
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "letter.txt").write_text("mine")

    with pytest.raises(HomeNotEmpty):
        restore(saved.folder, meter=METER, keys=saved.keys)
    assert [item.name for item in (tmp_path / "machine").iterdir()] == ["letter.txt"]


def rewritten(folder, **changes):
    """The backup with another manifest, sealed as it should be."""
    from dataclasses import replace

    (folder / manifests.NAME).write_text(replace(manifests.load(folder), **changes).text(), encoding="utf-8")


def test_a_backup_of_a_newer_program_is_refused(copy, saved, settings, tmp_path):
    settings.WANJIA_HOME = tmp_path / "machine"
    rewritten(copy, migrations=[*manifests.load(copy).migrations, "registry.9999_later"], program="9.9")

    with pytest.raises(BackupNewer, match=r"9\.9.*registry\.9999_later"):
        restore(copy, meter=METER, keys=saved.keys)


def test_a_dump_does_not_go_into_another_kind_of_database(copy, saved, settings, tmp_path):
    settings.WANJIA_HOME = tmp_path / "machine"
    rewritten(copy, database="postgresql" if places.vendor() == "sqlite" else "sqlite")

    with pytest.raises(OtherDatabase):
        restore(copy, meter=METER, keys=saved.keys)


@pytest.mark.django_db
def test_keys_never_lie_beside_the_data(home, tmp_path):
    target = tmp_path / "backup"

    for keys in (target, target / "keys", tmp_path, home / "copy"):
        with pytest.raises(KeysBesideData):
            back_up(target, meter=METER, keys=keys)
    (tmp_path / "detour").symlink_to(target)
    with pytest.raises(KeysBesideData):
        back_up(target, meter=METER, keys=tmp_path / "detour" / "keys")
    assert not target.exists()


@pytest.mark.django_db
def test_a_backup_is_written_neither_into_the_home_nor_over_anything(home, tmp_path):
    with pytest.raises(TargetInsideHome):
        back_up(home / "backup", meter=METER)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(TargetInUse):
        back_up(tmp_path / "full", meter=METER)
    assert [item.name for item in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_a_folder_without_a_manifest_is_no_backup(copy):
    (copy / manifests.NAME).unlink()

    with pytest.raises(NotABackup):
        manifests.load(copy)


def test_the_manifest_tells_what_it_counted(saved):
    document = json.loads((saved.folder / manifests.NAME).read_text("utf-8"))
    by_name = {table["name"]: table for table in document["tables"]}

    assert document["digest"] == saved.said["digest"]
    assert by_name["registry_household"]["rows"] > 0
    assert tables.digest_of(manifests.load(saved.folder).tables)
    assert sum(table["rows"] for table in by_name.values()) == saved.said["rows"]
