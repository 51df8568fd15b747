"""The developer's settings with every word of every library logged, and faults that can be provoked."""

from wanjia.config.settings.dev import *  # noqa: F403 - settings modules override by name
from wanjia.config.settings.dev import INSTALLED_APPS, LOGGING

INSTALLED_APPS = [*INSTALLED_APPS, "tests.leaks.faults"]
ROOT_URLCONF = "tests.leaks.faults.urls"
LOGGING = {
    **LOGGING,
    "root": {**LOGGING["root"], "level": "DEBUG"},
    "loggers": {name: {**logger, "level": "DEBUG"} for name, logger in LOGGING["loggers"].items()},
}
