"""The installation's keys, and whether they belong to its database.

A wrong key file does its harm silently: nothing decrypts any more, and every person_key
written with it joins with nothing. So the database remembers the fingerprints of the keys it
was written with, and starting with others is refused.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import connection, connections, transaction
from django.utils.module_loading import import_string

from wanjia.kernel import clock
from wanjia.protection.errors import KeyFileMissing, WrongKey
from wanjia.protection.keys import PERSON, Keyring
from wanjia.scope.errors import NotSetUp, RestoreUnfinished
from wanjia.scope.models import KeyFingerprint
from wanjia.scope.postgresql import policies

RESTORING = "restore.unfinished"  # lies in a home until everything in it is restored and verified


def folder() -> Path:
    """Where the installation keeps its keys."""
    return Path(settings.WANJIA_HOME) / "keys"


def keyring() -> Keyring:
    """The installation's keys, read once per process: rotation takes effect on restart.

    Raises KeyFileMissing, KeyFileMalformed or KeyFileExposed.
    """
    return _opened(folder())


@lru_cache(maxsize=8)
def _opened(at: Path) -> Keyring:
    opened = Keyring.open(at)
    replacement = getattr(settings, "WANJIA_CIPHER", None)
    if replacement:  # a test that must read columns; refused elsewhere by scope.E102 and here
        if not getattr(settings, "TESTING", False):
            raise RuntimeError("WANJIA_CIPHER exists for tests only")
        opened.cipher = import_string(replacement)()
    return opened


def create_missing_keys() -> bool:
    """Make the keys of a new installation; True if they were made.

    Raises KeyFileMissing where the database already knows keys: those must be restored, new
    ones would orphan everything that is encrypted.
    """
    if folder().exists():
        return False
    if _database_knows_keys():
        raise KeyFileMissing(file=folder() / PERSON)
    Keyring.create(folder())
    return True


def _database_knows_keys() -> bool:
    tables = connection.introspection.table_names()
    return KeyFingerprint._meta.db_table in tables and KeyFingerprint.objects.exists()


def require_installation() -> None:
    """What every process does before it works: see that the keys are there and belong to the database.

    A rotated key is learnt. Raises RestoreUnfinished, ApplicationRoleMissing, NotSetUp, and what `bind_keys` raises.
    """
    home = Path(settings.WANJIA_HOME)
    require_finished_home()
    policies.require_role()
    if not home.is_dir() or not _database_knows_keys():
        raise NotSetUp(home=home)
    bind_keys()
    if not connection.in_atomic_block:
        connections.close_all()  # processes are started after this, and none may inherit a connection


def require_finished_home() -> None:
    """Raise RestoreUnfinished in a home a restore has begun to fill and not finished."""
    home = Path(settings.WANJIA_HOME)
    if (home / RESTORING).exists():
        raise RestoreUnfinished(home=home)


def require_own_keys() -> None:
    """Raise WrongKey when a file holds another key than the database was written with, or lacks one."""
    _require_own(keyring())


def require_keys_on_disk() -> None:
    """The same of the files as they are now, whatever this process has read before.

    Raises what `keyring` raises, WrongKey, and NotSetUp where the database knows no keys.
    """
    if not KeyFingerprint.objects.exists():
        raise NotSetUp(home=settings.WANJIA_HOME)
    _require_own(Keyring.open(folder()))


def _require_own(keys: Keyring) -> None:
    found = keys.fingerprints
    for name, fingerprint in KeyFingerprint.objects.values_list("name", "fingerprint"):
        if found.get(name) != fingerprint:
            raise WrongKey(file=folder() / name.partition("/")[0])


@transaction.atomic
def bind_keys() -> None:
    """Compare the key files with what the database remembers, and remember new keys.

    Raises what `keyring` raises, and WrongKey.
    """
    require_own_keys()
    day = clock.today()
    KeyFingerprint.objects.bulk_create(
        [
            KeyFingerprint(name=name, fingerprint=value, first_used_on=day)
            for name, value in keyring().fingerprints.items()
        ],
        ignore_conflicts=True,
    )
