"""Settings of a program in which somebody forgot to say who may call a route."""

from wanjia.config.settings.dev import *  # noqa: F403 - settings modules override by name

ROOT_URLCONF = "tests.config.undeclared"
