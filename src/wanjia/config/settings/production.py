"""Production only overrides, and refuses to start without a secret."""

from django.core.exceptions import ImproperlyConfigured

from wanjia.config.settings.base import *  # noqa: F403 - settings modules override by name
from wanjia.config.settings.base import ALLOWED_HOSTS, ENVIRONMENT, SECRET_KEY
from wanjia.telemetry import logs

WANJIA_PRODUCTION = True
SECRET_LENGTH = 50

if len(SECRET_KEY) < SECRET_LENGTH:
    raise ImproperlyConfigured(
        "WANJIA_SECRET_KEY must hold at least 50 random characters. "
        'Make one with: python -c "import secrets; print(secrets.token_urlsafe(50))"'
    )
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("WANJIA_ALLOWED_HOSTS must name the host the site answers to, e.g. wanjia.example.cn")
if ENVIRONMENT.crash_at:
    raise ImproperlyConfigured("WANJIA_CRASH_AT ends processes on purpose; it belongs to fault tests. Unset it.")

ALLOWED_HOSTS = [*ALLOWED_HOSTS, "127.0.0.1", "localhost", "[::1]"]  # probes and Prometheus on this machine

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.https
if ENVIRONMENT.https:  # a browser takes such a cookie from this host alone, over https, for the whole site
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_SSL_REDIRECT = ENVIRONMENT.https
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked by machines beside the proxy, not through it
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = logs.configuration(as_json=True, levels={"wanjia": "INFO"})
