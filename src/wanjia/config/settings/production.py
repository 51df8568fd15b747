"""Production only overrides, and refuses to start without a secret."""

from django.core.exceptions import ImproperlyConfigured

from wanjia.config.settings.base import *  # noqa: F403 - settings modules override by name
from wanjia.config.settings.base import ALLOWED_HOSTS, ENVIRONMENT, SECRET_KEY

SECRET_LENGTH = 50

if len(SECRET_KEY) < SECRET_LENGTH:
    raise ImproperlyConfigured(
        "WANJIA_SECRET_KEY must hold at least 50 random characters. "
        'Make one with: python -c "import secrets; print(secrets.token_urlsafe(50))"'
    )
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("WANJIA_ALLOWED_HOSTS must name the host the site answers to, e.g. wanjia.example.cn")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.https
SECURE_SSL_REDIRECT = ENVIRONMENT.https
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
