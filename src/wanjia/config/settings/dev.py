"""A developer's machine and the demo: loopback only, no TLS, secrets made on the spot."""

from wanjia.config.settings.base import *  # noqa: F403 - settings modules override by name
from wanjia.kernel import points

SECRET_KEY = SECRET_KEY or "a-loopback-only-secret-that-production-refuses"  # noqa: F405
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "127.0.0.1", "localhost", "[::1]"]  # noqa: F405

if ENVIRONMENT.crash_at:  # noqa: F405
    points.crash_at(ENVIRONMENT.crash_at, ENVIRONMENT.home / "crashed")  # noqa: F405
