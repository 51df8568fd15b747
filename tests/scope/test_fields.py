"""Encrypted columns: nothing clear in the database, a mask everywhere else, each value bound to its row."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback

import pytest
from django.core.exceptions import FieldError
from django.db import connection, models, transaction

from tests.factories import accounts as factory
from wanjia.accounts.models import User
from wanjia.protection.errors import Unreadable
from wanjia.scope.fields import EncryptedTextField, Sealed, open_column, seal_column
from wanjia.scope.keys import keyring
from wanjia.scope.system import system_viewer

PHONE = "13800008000"
EVERYBODY = system_viewer("accounts.administer")


def _column(user: User) -> bytes | None:
    with connection.cursor() as cursor:
        cursor.execute("select phone from accounts_user where id = %s", [user.pk])
        (value,) = cursor.fetchone()
    return None if value is None else bytes(value)


def _again(user: User) -> User:
    return User.objects.visible_to(EVERYBODY).get(pk=user.pk)


@pytest.fixture
def user(db):
    made = factory.account("luo.ying")
    made.phone = PHONE
    made.save(update_fields=["phone"])
    return made


def test_the_column_holds_a_ciphertext_of_the_row(user):
    blob = _column(user)
    assert PHONE.encode() not in blob
    assert blob[0] == keyring().cipher.current
    assert keyring().cipher.decrypt(blob, "accounts_user.phone:luo.ying") == PHONE


def test_a_value_read_shows_its_mask_and_clears_on_request(user):
    phone = _again(user).phone
    assert isinstance(phone, Sealed)
    assert (str(phone), f"{phone}", phone.masked, phone.clear()) == (*["138****8000"] * 3, PHONE)
    assert repr(phone) == "<Sealed>"


def test_a_value_just_set_is_masked_as_well(user):
    user.phone = "13900009000"
    assert str(user.phone) == "139****9000"
    assert "13900009000" not in repr(user.__dict__)


def test_nothing_leaks_through_logs_and_tracebacks(user, caplog):
    phone = _again(user).phone
    logging.getLogger("test").warning("phone %s %r %s", phone, phone, {"phone": phone})
    assert PHONE not in caplog.text
    with pytest.raises(ValueError, match=r"138\*\*\*\*8000") as problem:
        _fail(phone)
    text = "".join(traceback.TracebackException.from_exception(problem.value, capture_locals=True).format())
    assert "138****8000" in text or "<Sealed>" in text
    assert PHONE not in text


def _fail(phone: Sealed) -> None:
    raise ValueError(phone)


def test_a_value_moved_to_another_row_does_not_open(user):
    other = factory.account("other")
    with connection.cursor() as cursor:
        cursor.execute("update accounts_user set phone = %s where id = %s", [_column(user), other.pk])
    with pytest.raises(Unreadable):
        _again(other).phone.clear()


def test_a_value_assigned_to_another_row_is_sealed_anew(user):
    other = factory.account("other")
    other.phone = _again(user).phone
    other.save()
    assert _column(other) != _column(user)
    assert _again(other).phone.clear() == PHONE


def test_saving_a_row_keeps_the_ciphertext_it_was_read_with(user):
    before = _column(user)
    read = _again(user)
    read.display_name = "另名"
    read.save()
    assert _column(user) == before
    read.phone = None
    read.save()
    assert _column(user) is None
    assert _again(user).phone is None


def test_a_row_without_its_key_cannot_be_sealed(db):
    with pytest.raises(ValueError, match="through its row"):
        User(username="", phone=PHONE, display_name="x").save()


def test_set_based_writes_without_a_row_are_refused(user):
    rows = User.objects.visible_to(EVERYBODY).filter(pk=user.pk)
    with pytest.raises(ValueError, match="encrypted per row"), transaction.atomic():
        rows.update(phone=PHONE)
    user.phone = "13900009000"
    rows.bulk_update([user], ["phone"])
    assert _again(user).phone.clear() == "13900009000"


def test_only_text_is_taken(user):
    with pytest.raises(TypeError):
        user.phone = 13800008000
    with pytest.raises(TypeError):
        user.phone = b"13800008000"


@pytest.mark.parametrize("lookup", ["exact", "contains", "gt", "in", "iexact", "startswith"])
def test_an_encrypted_column_is_not_searched(user, lookup):
    with pytest.raises(FieldError):
        User.objects.visible_to(EVERYBODY).filter(**{f"phone__{lookup}": PHONE})


def test_whether_there_is_a_value_can_be_asked(user):
    assert User.objects.visible_to(EVERYBODY).get(phone__isnull=False) == user


def test_values_without_their_row_show_and_open_nothing(user):
    (phone,) = User.objects.visible_to(EVERYBODY).filter(pk=user.pk).values_list("phone", flat=True)
    assert str(phone) == "****"
    with pytest.raises(ValueError, match="without its row"):
        phone.clear()
    assert phone.bound_to("accounts_user.phone:luo.ying").clear() == PHONE


def test_a_sealed_value_is_not_pickled_and_copies_stay_sealed(user):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(user.phone)
    with pytest.raises(TypeError):
        pickle.dumps(_again(user))
    assert copy.deepcopy(user).phone == user.phone
    assert user.phone != PHONE


def test_a_whole_column_is_sealed_for_loaders(user):
    blobs = seal_column(User, "phone", ["luo.ying", "other"], [PHONE, None])
    assert blobs[1] is None
    with connection.cursor() as cursor:
        cursor.execute("update accounts_user set phone = %s where id = %s", [blobs[0], user.pk])
    assert _again(user).phone.clear() == PHONE
    assert open_column(User, "phone", ["luo.ying", "other"], blobs) == [PHONE, None]
    with pytest.raises(TypeError, match="not encrypted"):
        seal_column(User, "username", ["a"], ["b"])


def test_the_field_describes_itself_to_migrations_and_to_no_form():
    field = User._meta.get_field("phone")
    name, path, args, kwargs = field.deconstruct()
    assert (name, path, args) == ("phone", "wanjia.scope.fields.EncryptedTextField", [])
    assert kwargs == {"aad": "username", "mask": "phone", "null": True}
    assert EncryptedTextField(**kwargs).editable is False
    with pytest.raises(ValueError, match="no mask"):
        EncryptedTextField(aad="x", mask="nothing")


def test_every_encrypted_column_is_bound_to_a_field_of_its_own_row():
    from django.apps import apps

    found = 0
    for model in apps.get_models():
        for field in model._meta.fields:
            if isinstance(field, EncryptedTextField):
                found += 1
                bound = model._meta.get_field(field.aad)
                given_later = isinstance(bound, (models.AutoField, models.BigAutoField))
                assert field.null or not given_later, (  # what may be empty is filled in once the number is there
                    f"{model._meta.label}.{field.name} is bound to a number the database gives after saving"
                )
    assert found >= 1


def test_a_deferred_value_is_fetched_with_its_row(user):
    row = User.objects.visible_to(EVERYBODY).defer("phone").get(pk=user.pk)
    assert row.phone.clear() == PHONE
    row = User.objects.visible_to(EVERYBODY).only("phone").get(pk=user.pk)
    assert str(row.phone) == "138****8000"
