"""The test suite, on SQLite unless WANJIA_DATABASE_URL names PostgreSQL."""

from wanjia.config.settings.dev import *  # noqa: F403 - settings modules override by name

ALLOWED_HOSTS = ["*"]
# argon2id at its weakest parameters: sign-in is tested, the cost is not.
PASSWORD_HASHERS = ["tests.common.hashers.QuickArgon2", *PASSWORD_HASHERS]  # noqa: F405
