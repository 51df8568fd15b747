"""The installation's keys: checked at start, bound to their database, never replaced silently."""

from __future__ import annotations

import shutil

import pytest
from django.core.checks import run_checks

from tests.factories import accounts as factory
from wanjia.protection.errors import KeyFileMissing, WrongKey
from wanjia.protection.keys import FIELD, PERSON, Keyring
from wanjia.scope import checks, keys
from wanjia.scope.errors import NotSetUp


@pytest.fixture
def folder(home):
    return home / "keys"


def ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_keys_in_order_pass(folder):
    assert checks.key_files_are_in_order() == []


def test_a_home_that_was_never_set_up_is_only_told_so(folder):
    shutil.rmtree(folder)
    assert ids(checks.key_files_are_in_order()) == ["scope.W101"]


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / PERSON).unlink(),
        lambda folder: (folder / FIELD).write_text("nonsense"),
        lambda folder: (folder / FIELD).chmod(0o644),
    ],
)
def test_keys_out_of_order_stop_the_start_with_a_cure(folder, harm):
    harm(folder)
    keys._opened.cache_clear()
    (message,) = checks.key_files_are_in_order()
    assert message.id == "scope.E101"
    assert message.is_serious()
    assert message.hint
    assert "scope.E101" in ids(run_checks(tags=["security"]))


def test_the_database_remembers_its_keys(db, folder):
    keys.bind_keys()
    keys.bind_keys()
    assert checks.keys_belong_to_the_database(databases=["default"]) == []
    assert ids(checks.keys_belong_to_the_database(databases=None)) == []


@pytest.mark.parametrize("name", [PERSON, FIELD])
def test_another_installations_key_is_noticed(db, folder, tmp_path, name):
    keys.bind_keys()
    Keyring.create(tmp_path / "other")
    shutil.copy2(tmp_path / "other" / name, folder / name)
    keys._opened.cache_clear()
    assert ids(checks.keys_belong_to_the_database(databases=["default"])) == ["scope.E103"]
    with pytest.raises(WrongKey) as refused:
        keys.bind_keys()
    assert name in str(refused.value)


def test_a_rotated_key_is_learnt_and_its_loss_is_noticed(db, folder):
    keys.bind_keys()
    before = (folder / FIELD).read_text()
    keys.keyring().rotate()
    keys._opened.cache_clear()
    keys.bind_keys()
    (folder / FIELD).write_text(before)
    keys._opened.cache_clear()
    with pytest.raises(WrongKey):
        keys.bind_keys()


def test_new_keys_are_not_made_for_a_database_that_has_some(db, folder):
    keys.bind_keys()
    assert keys.create_missing_keys() is False
    shutil.rmtree(folder)
    keys._opened.cache_clear()
    with pytest.raises(KeyFileMissing):
        keys.create_missing_keys()
    assert not folder.exists()


def test_a_process_starts_only_on_an_installation(db, home, settings):
    with pytest.raises(NotSetUp):
        keys.require_installation()  # tables, but no keys were ever bound
    keys.bind_keys()
    keys.require_installation()
    settings.WANJIA_HOME = home / "elsewhere"
    with pytest.raises(NotSetUp):
        keys.require_installation()
    assert not (home / "elsewhere").exists()


def test_a_new_installation_gets_keys(db, folder):
    shutil.rmtree(folder)
    assert keys.create_missing_keys() is True
    keys._opened.cache_clear()
    assert keys.keyring().person_key("459999197602290012")


def test_a_cipher_that_hides_nothing_exists_for_tests_only(settings, home):
    settings.WANJIA_CIPHER = "tests.common.null_cipher.NullCipher"
    keys._opened.cache_clear()
    assert checks.values_are_really_encrypted() == []
    assert keys.keyring().cipher.encrypt("13800008000", "x") == b"\x0013800008000"
    keys._opened.cache_clear()
    settings.TESTING = False
    assert ids(checks.values_are_really_encrypted()) == ["scope.E102"]
    with pytest.raises(RuntimeError, match="tests only"):
        keys.keyring()


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_database_holds_no_phone_and_no_number(home):
    from django.db import connection

    from wanjia.accounts import services

    services.load_roles()
    accounts = [
        services.NewAccount(
            f"contact-{number}", "覃某", "451228101",
            phone=f"138{number:08}", id_number=f"4599991976022{number:05}",
        )
        for number in range(1, 300)
    ]  # fmt: skip
    services.open_accounts(viewer=factory.OPERATOR, accounts=accounts)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from accounts_user where phone is not null")
        assert cursor.fetchone() == (299,)
        tables = list(connection.introspection.table_names(cursor))
        dump = b""
        for table in tables:
            cursor.execute(f'select * from "{table}"')
            for row in cursor.fetchall():
                dump += b"|".join(
                    bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode() for value in row
                )
    assert b"contact-7" in dump
    for account in accounts:
        assert account.phone.encode() not in dump
        assert account.id_number.encode() not in dump
