"""Settings of the project. Values an operator may change come from ``smarketing.env``."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pghistory
from csp.constants import NONCE, NONE, SELF

from smarketing import env
from smarketing.core import logs

BASE_DIR = env.BASE_DIR
HOME = env.HOME

# --- who we are and who may ask -------------------------------------------------------------
DEBUG = env.DEBUG
TESTING = env.TESTING
SECRET_KEY = env.SECRET_KEY
SECRET_KEY_FALLBACKS = env.SECRET_KEY_FALLBACKS
FIELD_ENCRYPTION_KEYS = env.FIELD_ENCRYPTION_KEYS
SUPPRESSION_KEY = env.SUPPRESSION_KEY
SITE_URL = env.SITE_URL
ALLOWED_HOSTS = env.ALLOWED_HOSTS
CSRF_TRUSTED_ORIGINS = [SITE_URL]
TRUSTED_PROXIES = env.TRUSTED_PROXIES
DEMO = env.DEMO

INSTALLED_APPS = [
    # Upstream first: facts are handled in this order, so that what is derived comes last, and
    # everybody locks leads, then clocks, then journeys.
    "smarketing.core",
    "smarketing.users",
    "smarketing.audit",
    "smarketing.notifications",
    "smarketing.web",
    "leads",
    "funnel",
    "sla",
    "reporting",
    "smarketing.demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "template_partials",
    "lucide",
    "pgtrigger",
    "pghistory",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    "smarketing.web.edge.ClientAddress",
    "smarketing.web.requestlog.RequestLog",
    "smarketing.web.edge.Limits",
    "smarketing.web.probes.Probes",
    "leads.intake.bridge.TrackingIntake",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "smarketing.web.middleware.RequestClock",
    "smarketing.web.middleware.NulRefusal",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "smarketing.users.middleware.SessionLimits",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "smarketing.web.middleware.NoStore",
    "smarketing.web.middleware.ViewerFormats",
    "smarketing.web.middleware.Problems",
]

ROOT_URLCONF = "smarketing.urls"
WSGI_APPLICATION = "smarketing.wsgi.application"
FORM_RENDERER = "smarketing.web.forms.renderer.QuickWidgets"  # templates/ may restyle the other widgets

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "smarketing.web.context.shell",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "smarketing.web.templatetags.fmt",
                "smarketing.web.templatetags.frame",
                "smarketing.web.templatetags.front",
                "smarketing.web.templatetags.ui",
            ],
        },
    },
]

# --- where facts live -----------------------------------------------------------------------
DATABASES = {"default": env.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Row level made bulk writes 33 times slower.
PGHISTORY_LEVEL = pghistory.Statement  # type: ignore[has-type]
PGHISTORY_BASE_MODEL = "pghistory.models.Event"

# --- background work ------------------------------------------------------------------------
# A message means "look now" and is never the record of work: it may be lost, late or doubled.
CELERY_BROKER_URL = env.broker_url()
CELERY_BROKER_TRANSPORT_OPTIONS = env.broker_options()
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = env.PROCESS != "web"  # a frozen broker may cost a request half a second, once
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True  # these three together: a killed child loses nothing
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "beat-schedule")
CELERY_TIMEZONE = "UTC"
# Carries the request id into the task; a command sends none and is spared the imports.
DJANGO_STRUCTLOG_CELERY_ENABLED = env.PROCESS != "command"

# --- sign-in --------------------------------------------------------------------------------
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_ADAPTER = "smarketing.users.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by an admin, never by signing up
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # the present session goes on, all others end
# Per address only: what is counted per account stands in the database (users.services.throttle).
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "30/m/ip"}
SOCIALACCOUNT_ADAPTER = "smarketing.users.adapters.SocialAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": env.oidc_apps()}}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
PASSWORD_HASHERS = [
    "smarketing.users.passwords.BoundedArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "smarketing.users.passwords.LengthValidator"},
    {"NAME": "smarketing.users.passwords.ContextValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# --- security headers -----------------------------------------------------------------------
_TLS = SITE_URL.startswith("https://")
SESSION_COOKIE_NAME = "__Host-sid" if _TLS else "sid"
CSRF_COOKIE_NAME = "__Host-csrf" if _TLS else "csrf"
SESSION_COOKIE_SECURE = _TLS
CSRF_COOKIE_SECURE = _TLS
# Pages are redirected to TLS; a program that calls in the clear must fail, not get used to a redirect. A
# health check comes from inside.
SECURE_SSL_REDIRECT = _TLS
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|healthz|metrics)$", r"^api/", r"^v1/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # preloading binds the whole domain: its owner decides
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _TLS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "smarketing.web.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *env.oidc_origins()],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
MAX_BODY_BYTES = env.MAX_BODY_BYTES
PAGE_THREADS = env.PAGE_THREADS
INTAKE_INBOX_ROWS = env.INTAKE_INBOX_ROWS
INTAKE_NETWORK_PER_MINUTE = env.INTAKE_NETWORK_PER_MINUTE
METRICS_TOKEN = env.METRICS_TOKEN

if env.PROCESS == "web":  # read by prometheus_client when it is imported
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(HOME / "run" / "metrics"))

# --- logs -----------------------------------------------------------------------------------
LOGGING = logs.configure(form=env.LOG_FORMAT, level=env.LOG_LEVEL, key=SECRET_KEY)
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # the network is, see smarketing.web.requestlog
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # checked there, too
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_SUCCESS_LOG_LEVEL = logging.DEBUG

# --- language, time, files ------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "smarketing.assets.finders.NpmFinder",
]
# Hashed and compressed copies need collectstatic, which a first run on a laptop is spared: there
# whitenoise serves the files where they lie.
_COLLECTED = not (DEBUG or DEMO or TESTING)
STATIC_ROOT = HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "smarketing.assets.storage.HashedStorage"
        if _COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _COLLECTED
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("map", "png", "jpg", "webp", "woff", "woff2", "gz", "br", "zip")
WHITENOISE_MAX_AGE = 0 if DEBUG or TESTING else 60
NPM_ROOT = BASE_DIR / "smarketing" / "assets" / "node_modules"
NPM_STATIC = {
    "vendor/htmx.js": "htmx.org/dist/htmx.esm.min.js",
    "vendor/sortable.js": "sortablejs/modular/sortable.core.esm.js",
    "vendor/echarts.js": "echarts/dist/echarts.esm.min.js",
    "vendor/inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "vendor/inter-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
}
_MODULES = (
    "board", "copying", "countdown", "dialogs", "dom", "forms", "inline", "menus", "palette",
    "opened", "polling", "requests", "selection", "shortcuts", "theme", "toasts", "words",
)  # fmt: skip
# Bare names by which browser modules import one another.
IMPORTMAP = {
    "htmx": "vendor/htmx.js",
    "sortable": "vendor/sortable.js",
    "echarts": "vendor/echarts.js",
    **{f"web/{name}": f"web/js/{name}.js" for name in _MODULES},
}
MEDIA_ROOT = Path(HOME / "files")

# --- REST -----------------------------------------------------------------------------------
API_REQUESTS_PER_MINUTE = env.API_REQUESTS_PER_MINUTE
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["smarketing.web.rest.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "smarketing.web.rest.authentication.BearerAuthentication",
        "smarketing.web.rest.authentication.PageSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["smarketing.web.rest.permissions.Permitted"],
    "DEFAULT_THROTTLE_CLASSES": ["smarketing.web.rest.throttling.TokenThrottle"],
    "DEFAULT_PAGINATION_CLASS": "smarketing.web.rest.pagination.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["smarketing.web.rest.parameters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "smarketing.web.rest.schema.ResourceSchema",
    "EXCEPTION_HANDLER": "smarketing.web.rest.errors.handle",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_TOKEN": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Smarketing",
    "VERSION": "1",
    "DESCRIPTION": "The agreement between sales and marketing, executed. Errors are RFC 9457 problems.",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Members called alike ("kind", "state") whose values differ, each with a name of its own.
    "ENUM_NAME_OVERRIDES": {
        "ActivityKind": "leads.models.ActivityKind",
        "ActivityOutcome": "leads.models.ActivityOutcome",
        "AttributeSubject": "leads.models.AttributeSubject",
        "CampaignKind": "leads.models.CampaignKind",
        "CampaignStatus": "leads.models.CampaignStatus",
        "ClockKind": "sla.models.ClockKind",
        "ClockState": "sla.models.ClockState",
        "DuplicateKind": "leads.models.DuplicateKind",
        "ConsentState": "leads.models.ConsentState",
        "EventKind": "leads.models.EventKind",
        "HandoffState": "funnel.models.HandoffState",
        "KeyKind": "leads.models.KeyKind",
        "LostReason": "funnel.models.LostReason",
        "OpportunityStageKind": "funnel.models.OpportunityStageKind",
        "ReturnReason": "funnel.models.ReturnReason",
        "OwnStageRole": "funnel.models.OwnRole",
        "Side": "smarketing.users.models.SideChoices",
        "SourceKind": "leads.models.SourceKind",
        "StageKind": "funnel.models.StageKind",
        "StageRole": "funnel.models.StageRole",
        "SubmissionState": "leads.models.SubmissionState",
        "TouchpointKind": "leads.models.TouchpointKind",
        "TombstoneReason": "funnel.models.TombstoneReason",
        "UserRole": "smarketing.users.models.RoleChoices",
        "VersionState": "funnel.models.DefinitionState",
    },
}

# --- caches: see the modules named ----------------------------------------------------------
CACHES = {
    "default": {"BACKEND": "smarketing.users.cache.TableCache"},
    "counters": {
        "BACKEND": "smarketing.core.cache.FailOpenCache",
        "LOCATION": env.cache_url(),
        "OPTIONS": {
            "serializer": "smarketing.core.cache.JSONSerializer",
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
        },
    },
}

# --- outbound -------------------------------------------------------------------------------
OUTBOUND_PORTS = env.OUTBOUND_PORTS
OUTBOUND_NETWORKS = env.OUTBOUND_NETWORKS

# --- mail -----------------------------------------------------------------------------------
EMAIL_BACKEND = env.EMAIL_BACKEND
DEFAULT_FROM_EMAIL = env.DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 15
EMAIL_HOST = env.EMAIL_HOST
EMAIL_PORT = env.EMAIL_PORT
EMAIL_HOST_USER = env.EMAIL_HOST_USER
EMAIL_HOST_PASSWORD = env.EMAIL_HOST_PASSWORD
EMAIL_USE_TLS = env.EMAIL_USE_TLS
EMAIL_USE_SSL = env.EMAIL_USE_SSL
