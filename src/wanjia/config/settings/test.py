"""The test suite, on SQLite unless WANJIA_DATABASE_URL names PostgreSQL."""

import os
from pathlib import Path
from tempfile import gettempdir

from wanjia.config.settings.dev import *  # noqa: F403 - settings modules override by name

ALLOWED_HOSTS = ["*"]
# argon2id at its weakest parameters: sign-in is tested, the cost is not.
PASSWORD_HASHERS = ["tests.common.hashers.QuickArgon2", *PASSWORD_HASHERS]  # noqa: F405

if not ENVIRONMENT.database_url:  # noqa: F405
    # A file, as in production: threads that share an in-memory database are refused at once
    # ("table is locked") where a file makes the second writer wait.
    DATABASES["default"]["TEST"] = {"NAME": Path(gettempdir()) / f"wanjia-test-{os.getpid()}.sqlite3"}  # noqa: F405
TESTING = True
LOGGING["loggers"]["wanjia.requests"]["level"] = "WARNING"  # noqa: F405 - thousands of pages nobody reads about
