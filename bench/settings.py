"""The site as `dev` has it, with each answer saying what it cost. For benches only."""

from wanjia.config.settings.dev import *  # noqa: F403 - settings modules override by name

MIDDLEWARE = ["bench.watching.Watch", *MIDDLEWARE]  # noqa: F405
