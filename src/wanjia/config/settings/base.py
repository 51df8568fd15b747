"""Everything is declared here; the other settings modules only override."""

from __future__ import annotations

from pathlib import Path

from wanjia.config import env
from wanjia.telemetry import logs

ENVIRONMENT = env.read()
WANJIA_HOME: Path = ENVIRONMENT.home
ENVIRONMENT_CLOCK_START = ENVIRONMENT.clock_start  # only the demo sets it

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = False
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
ROOT_URLCONF = "wanjia.config.urls"
WSGI_APPLICATION = "wanjia.config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# High to low, as in pyproject's import contract.
INSTALLED_APPS = [
    "wanjia.demo",
    "wanjia.office",
    "wanjia.inspection",
    "wanjia.comparison",
    "wanjia.resolution",
    "wanjia.workforce",
    "wanjia.registry",
    "wanjia.sources",
    "wanjia.ruleset",
    "wanjia.casework",
    "wanjia.intake",
    "wanjia.exports",
    "wanjia.files",
    "wanjia.jobs",
    "wanjia.accounts",
    "wanjia.divisions",
    "wanjia.reference",
    "wanjia.audit",
    "wanjia.scope",
    "wanjia.telemetry",
    "wanjia.ui",
    "axes",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "wanjia.telemetry.middleware.Observe",  # outermost: its line tells what every other one answered
    "django.middleware.security.SecurityMiddleware",
    "wanjia.ui.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "wanjia.accounts.middleware.Sessions",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wanjia.accounts.middleware.ViewerMiddleware",
    "wanjia.ui.middleware.RefusalPages",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "wanjia.ui.context.frame",
            ],
        },
    },
]

FORM_RENDERER = "wanjia.ui.widgets.Renderer"

DATABASES = {"default": env.database(ENVIRONMENT)}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "wanjia.accounts.backends.AccountBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "wanjia.accounts.passwords.MixedClasses"},
    {"NAME": "wanjia.accounts.passwords.NotUsedBefore"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
# Lock-out: five wrong passwords, fifteen minutes (domain.md §16.5, D), per account and source together.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "wanjia.accounts.attempts.name_for_attempts"
AXES_LOCKOUT_TEMPLATE = "accounts/locked_out.html"

SESSION_COOKIE_AGE = 8 * 3600  # absolute limit, domain.md §16.5 (D)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # forms and fragments carry the token; no script reads the cookie
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["wanjia.ui.formats"]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # assets ship inside the package; nothing is collected
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/ui/.+\.[0-9a-f]{12}\.(js|css)$"  # the build names files by content

FILE_UPLOAD_HANDLERS = ["wanjia.files.uploads.EncryptingUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# Lines for somebody who reads along; production writes JSON. Neither holds personal data.
LOGGING = logs.configuration(as_json=False, levels={"wanjia.requests": "INFO"})

WANJIA_PRODUCTION = False

# What operators tune (docs/how-to/operate.md).
WANJIA_SLOW_QUERY_MS = ENVIRONMENT.slow_query_ms
WANJIA_DISK_FLOOR = ENVIRONMENT.disk_floor
WANJIA_METRICS_TOKEN = ENVIRONMENT.metrics_token

SILENCED_SYSTEM_CHECKS: list[str] = []
