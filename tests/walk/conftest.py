"""The world of the walk: every kind of object at every place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from tests.conftest import NOW
from tests.factories import walking
from tests.factories.walking import Example
from wanjia.accounts.services import load_roles
from wanjia.audit.testing import recording_enforced
from wanjia.config import readiness
from wanjia.divisions.services import load_divisions
from wanjia.kernel import clock
from wanjia.kernel.remember import look_again_everywhere
from wanjia.reference.services import load_reference
from wanjia.scope import keys


@pytest.fixture(scope="module")
def _installation(tmp_path_factory: pytest.TempPathFactory, _keys: Path) -> Path:
    folder = tmp_path_factory.mktemp("walked") / "home"
    folder.mkdir()
    shutil.copytree(_keys, folder / "keys")
    return folder


@pytest.fixture(autouse=True)
def home(_installation: Path, settings) -> Path:
    """One installation for the whole walk: what was built in it is only read, or undone."""
    settings.WANJIA_HOME = _installation
    return _installation


@pytest.fixture(scope="module")
def _everything(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, _installation: Path
) -> Iterator[list[Example]]:
    """Every kind of object at every place; built once, in a transaction around those of the tests."""
    scene = transaction.atomic()
    scene._from_testcase = True  # to the audit guard no service's transaction, whose writes it would wait for
    with django_db_blocker.unblock(), scene:
        with recording_enforced(), override_settings(WANJIA_HOME=_installation), clock.frozen(NOW):
            look_again_everywhere()
            keys.bind_keys()  # an installation in order: /readyz says so
            readiness.look_again()
            load_reference()
            load_divisions()
            load_roles()
            built = list(walking.build())
        yield built
        transaction.set_rollback(True)


@pytest.fixture
def world(_everything: list[Example], db: None) -> list[Example]:
    """The world as it was built: what the tests before did to it was rolled back."""
    return _everything
