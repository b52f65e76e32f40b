"""Every setting of the server, each from the environment, each documented in docs/operating.md."""

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from psycopg.conninfo import make_conninfo

from conversations.vocabulary import CompactionKind
from observatory.env import BadSetting, env_bool, env_float, env_int, env_list, env_networks, env_str

BASE_DIR = Path(__file__).resolve().parent.parent
# In a wheel, templates and static files lie inside the package; in a checkout beside it.
ASSETS = Path(__file__).parent / "assets" if (Path(__file__).parent / "assets").is_dir() else BASE_DIR

# --- where things are ---
DATA_DIR = Path(env_str("OBSERVATORY_DATA_DIR", str(Path.home() / ".observatory"))).expanduser().absolute()
DATABASE_URL = env_str("DATABASE_URL")  # empty = the embedded Postgres under DATA_DIR
EMBEDDED_POSTGRES = not DATABASE_URL

# --- who may reach it ---
DEBUG = env_bool("OBSERVATORY_DEBUG", default=False)
ALLOWED_HOSTS = env_list("OBSERVATORY_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
PUBLIC_URL = env_str("OBSERVATORY_PUBLIC_URL")  # e.g. https://observatory.example.org, for links in messages
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
CSRF_FAILURE_VIEW = "conversations.web.errors.csrf_failure"
SIGN_UP_OPEN = env_bool("OBSERVATORY_SIGN_UP", default=False)


def secret_key() -> str:
    """From the environment, else made once and kept in the data directory (readable by its owner only)."""
    if value := env_str("OBSERVATORY_SECRET_KEY"):
        return value
    path = DATA_DIR / "secret-key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:  # another process was faster
            return path.read_text()
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text()


SECRET_KEY = secret_key()
SECRET_KEY_FALLBACKS = env_list("OBSERVATORY_SECRET_KEY_FALLBACKS")  # former ones: what they sealed stays readable
HTTPS = env_bool("OBSERVATORY_HTTPS", default=PUBLIC_URL.startswith("https://"))  # cookies and redirects for TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False  # not ours to say of the other hosts of a domain
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked on this machine, past the proxy
PROXY = env_bool("OBSERVATORY_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXY else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 86_400  # seconds
AUTHENTICATION_BACKENDS = ["conversations.people.backend.Backend"]
SESSION_ENGINE = "conversations.people.session_store"  # rows that say whose they are
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- e-mail digests; off without a host ---
EMAIL_HOST = env_str("OBSERVATORY_EMAIL_HOST")
EMAIL_SECURITY = env_str("OBSERVATORY_EMAIL_SECURITY", "starttls")
if EMAIL_SECURITY not in {"starttls", "tls", "none"}:
    raise BadSetting(f"OBSERVATORY_EMAIL_SECURITY must be starttls, tls or none, not {EMAIL_SECURITY!r}")
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_SECURITY == "starttls", EMAIL_SECURITY == "tls"
EMAIL_PORT = env_int("OBSERVATORY_EMAIL_PORT", 465 if EMAIL_USE_SSL else 587)
EMAIL_HOST_USER = env_str("OBSERVATORY_EMAIL_USER")
EMAIL_HOST_PASSWORD = env_str("OBSERVATORY_EMAIL_PASSWORD")
EMAIL_TIMEOUT = 20  # seconds of each step; a job may take 280
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env_str("OBSERVATORY_EMAIL_FROM")
if EMAIL_HOST and "@" not in DEFAULT_FROM_EMAIL:
    raise BadSetting("OBSERVATORY_EMAIL_FROM must be the address that e-mails come from, where a host is set")

# --- whom alert channels may speak to, besides public addresses ---
CHANNEL_NETWORKS = env_networks("OBSERVATORY_CHANNEL_NETWORKS")

# --- people of a provider (OpenID Connect); off without an issuer ---
OIDC_ISSUER = env_str("OBSERVATORY_OIDC_ISSUER").rstrip("/")
OIDC_CLIENT_ID = env_str("OBSERVATORY_OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env_str("OBSERVATORY_OIDC_CLIENT_SECRET")
OIDC_NAME = env_str("OBSERVATORY_OIDC_NAME", "single sign-on")  # on the button
OIDC_DOMAINS = env_list("OBSERVATORY_OIDC_ALLOWED_DOMAINS")  # of e-mail addresses; empty = any
OIDC_AUTO_CREATE = env_bool("OBSERVATORY_OIDC_AUTO_CREATE", default=False)
OIDC_DEFAULT_ROLE = env_str("OBSERVATORY_OIDC_DEFAULT_ROLE", "viewer")  # of those who come for the first time
if OIDC_DEFAULT_ROLE not in {"admin", "reviewer", "viewer"}:
    raise BadSetting(f"OBSERVATORY_OIDC_DEFAULT_ROLE must be admin, reviewer or viewer, not {OIDC_DEFAULT_ROLE!r}")
OIDC_WORKSPACE = env_str("OBSERVATORY_OIDC_WORKSPACE")  # slug; empty = the only one there is

# allauth is asked for the protocol only: who comes in, and the pages, are ours (conversations/web/oidc.py).
SOCIALACCOUNT_ADAPTER = "conversations.web.oidc.SocialAccountAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"

# --- limits of what is taken in ---
MAX_BODY_BYTES = env_int("OBSERVATORY_MAX_BODY_BYTES", 20_000_000)  # of one POST of events, decompressed
MAX_TRANSCRIPT_BYTES = env_int("OBSERVATORY_MAX_TRANSCRIPT_BYTES", 1_000_000_000)
MAX_AUDIT_BYTES = env_int("OBSERVATORY_MAX_AUDIT_BYTES", 50_000_000)  # of a transcript audited while its sender waits
MAX_EVENT_BYTES = env_int("OBSERVATORY_MAX_EVENT_BYTES", 10_000_000)
MAX_EVENTS = env_int("OBSERVATORY_MAX_EVENTS", 10_000)  # in one POST
MAX_DEPTH = env_int("OBSERVATORY_MAX_DEPTH", 64)  # nesting of one event
MAX_COMPRESSION_RATIO = env_int("OBSERVATORY_MAX_COMPRESSION_RATIO", 200)
MAX_REQUESTS_PER_SECOND = env_int("OBSERVATORY_MAX_REQUESTS_PER_SECOND", 200)  # of one key
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# --- Django ---
ROOT_URLCONF = "observatory.urls"
WSGI_APPLICATION = "observatory.wsgi.application"
AUTH_USER_MODEL = "conversations.User"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth.account",  # needed by the next
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "conversations",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "observatory.middleware.BrowserPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads answers at random: their length tells no secret (BREACH)
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "conversations.web.signing_in.SeenMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "observatory.isolation.WorkspaceMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ASSETS / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATICFILES_DIRS = [ASSETS / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "observatory.static.Storage"},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
LOGIN_URL = "sign_in"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def database() -> dict[str, Any]:
    """DATABASE_URL, or the embedded Postgres, whose socket lies in the data directory."""
    if DATABASE_URL:
        config = dict(dj_database_url.parse(DATABASE_URL))
        if config["ENGINE"] != "django.db.backends.postgresql":
            raise BadSetting("DATABASE_URL must name a Postgres: postgres://user:password@host:5432/name")
        return config
    from observatory import embedded  # noqa: PLC0415 -- only where it is used

    return embedded.database(DATA_DIR)


#: Postgres itself shows a page the rows of its workspace only. Not behind a pooler that shares connections.
ROW_SECURITY = env_bool("OBSERVATORY_ROW_SECURITY", default=True)
DATABASES = {
    "default": database()
    | {
        "CONN_MAX_AGE": 600,  # seconds; a connection costs 5 ms and 5 MB of the server's memory to make
        "CONN_HEALTH_CHECKS": True,  # so that a database that was restarted is noticed before a request fails
    }
}

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "conversations.api.errors.handle_exception",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["conversations.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["conversations.api.authentication.MayRead"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Observatory",
    "DESCRIPTION": "What LLM agents forget when their conversations are compacted. OpenTelemetry's exporters send to"
    " `/v1/traces` and `/v1/logs` with the same keys, in OTLP over HTTP (protobuf or JSON).",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Fields of one name whose choices differ: what drf-spectacular would call them changes with the next one.
    "ENUM_NAME_OVERRIDES": {"CompactionKindEnum": [kind.value for kind in CompactionKind]},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "conversations.api.ways_in.add_components",
    ],
}

# --- background jobs ---
CELERY_BROKER_URL = env_str(
    "CELERY_BROKER_URL", "pgmq://localhost"
)  # pgmq: = a queue in the database; or redis://, amqp://
QUEUE_IN_DATABASE = CELERY_BROKER_URL.startswith("pgmq:")
WORKER_PROCESSES = env_int(
    "OBSERVATORY_WORKER_PROCESSES", 1
)  # audits and alerts at once; digestion has its own process
#: Seconds without a sign of life after which a digestion is broken off, to be tried again (five times in all).
DIGEST_TIMEOUT = env_int("OBSERVATORY_DIGEST_TIMEOUT", 120)
#: Seconds until a message comes back whose worker died with it. Longer than any job may take.
VISIBILITY_SECONDS = 300


def broker_options() -> dict[str, Any]:
    """How long a message is a worker's own, and for pgmq where the database is."""
    options: dict[str, Any] = {"visibility_timeout": VISIBILITY_SECONDS}
    if not QUEUE_IN_DATABASE:
        return options
    config = DATABASES["default"]
    # pgmq keeps these five of a connection; libpq takes the rest, such as sslmode, from its own variables.
    more = config.get("OPTIONS", {})
    os.environ.update({f"PG{name.upper()}": str(value) for name, value in more.items()})
    parts = {"host": config["HOST"] or more.get("host", "localhost")}  # a socket's folder can only be an option
    parts |= {"port": config.get("PORT") or more.get("port", 5432), "dbname": config["NAME"]}
    parts |= {"user": config["USER"] or "postgres", "password": config["PASSWORD"] or "postgres"}
    # One connection a thread that sends; woken by NOTIFY instead of asking: an idle worker asks every 5 s.
    waiting = {"use_notify": True, "wait_time_seconds": 0, "polling_interval": 5}
    return options | waiting | {"conn_string": make_conninfo(**parts), "init_extension": False, "pool_size": 1}


CELERY_BROKER_TRANSPORT_OPTIONS = broker_options()
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a database that restarts is waited for
CELERY_BROKER_POOL_LIMIT = 2  # connections that a web process sends by
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True  # a message is gone when its job is done, not when it is begun
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = VISIBILITY_SECONDS - 20
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # nobody controls it; spares queues and connections
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "conversations.tasks.digest": {"queue": "digest"},
    "conversations.tasks.sweep_batches": {"queue": "digest"},
    "conversations.tasks.evaluate_rules": {"queue": "alerts"},
    "conversations.tasks.tell_channels": {"queue": "alerts"},
    "conversations.tasks.tell_channel": {"queue": "alerts"},
    "conversations.tasks.send_mail": {"queue": "alerts"},
    "conversations.tasks.ask_model": {"queue": "model"},  # waits for others' servers; nothing waits for it
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "watch_budgets": {"task": "conversations.tasks.watch_budgets", "schedule": 60, "options": {"expires": 60}},
    "sweep_batches": {"task": "conversations.tasks.sweep_batches", "schedule": 15, "options": {"expires": 15}},
    "evaluate_rules": {"task": "conversations.tasks.evaluate_rules", "schedule": 30, "options": {"expires": 30}},
    "tell_channels": {"task": "conversations.tasks.tell_channels", "schedule": 5, "options": {"expires": 5}},
    "send_mails": {"task": "conversations.tasks.send_mails", "schedule": 60, "options": {"expires": 60}},
    "audit_due": {"task": "conversations.tasks.audit_due", "schedule": 60, "options": {"expires": 60}},
    "check_ledger": {"task": "conversations.tasks.check_ledger", "schedule": 60, "options": {"expires": 60}},
    "teach_rankings": {"task": "conversations.tasks.teach_rankings", "schedule": 3600, "options": {"expires": 3600}},
    "resume_rankings": {"task": "conversations.tasks.resume_rankings", "schedule": 60, "options": {"expires": 60}},
    "ask_models": {"task": "conversations.tasks.ask_models", "schedule": 60, "options": {"expires": 60}},
    "sweep_places": {"task": "conversations.tasks.sweep_reservations", "schedule": 60, "options": {"expires": 60}},
    "fill_queues": {"task": "conversations.tasks.fill_queues", "schedule": 3600, "options": {"expires": 3600}},
    "purge_conversations": {
        "task": "conversations.tasks.purge_conversations",
        "schedule": 600,
        "options": {"expires": 600},
    },
    "resume_deletions": {"task": "conversations.tasks.resume_deletions", "schedule": 60, "options": {"expires": 60}},
    "resume_redactions": {"task": "conversations.tasks.resume_redactions", "schedule": 60, "options": {"expires": 60}},
    "purge": {"task": "conversations.tasks.purge", "schedule": 3600, "options": {"expires": 3600}},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# --- the language model, asked after an audit; off without a key ---
LLM_API_KEY = env_str("ANTHROPIC_API_KEY")
LLM_MODEL = env_str("OBSERVATORY_LLM_MODEL", "claude-haiku-4-5")
LLM_PRICES = env_list(
    "OBSERVATORY_LLM_PRICES"
)  # of the model: input, output, cache write, cache read; US$ a million tokens
LLM_DAY_BUDGET_USD = env_float("OBSERVATORY_LLM_DAY_BUDGET_USD", 10.0)  # of each workspace, by UTC days
LLM_COMPACTION_BUDGET_USD = env_float("OBSERVATORY_LLM_COMPACTION_BUDGET_USD", 0.5)
LLM_BASE_URL = env_str("OBSERVATORY_LLM_BASE_URL")  # empty = Anthropic's own

# --- web server ---
WEB_WORKERS = env_int("OBSERVATORY_WEB_WORKERS", 1)  # processes
WEB_THREADS = env_int("OBSERVATORY_WEB_THREADS", 8)  # requests at once in each
MAX_BUDGET_STREAMS = env_int("OBSERVATORY_MAX_BUDGET_STREAMS", 2)  # in each process; each keeps a thread of it
WEB_TIMEOUT = env_int("OBSERVATORY_WEB_TIMEOUT", 300)  # seconds without a sign of life until a process is replaced
METRICS_TOKEN = env_str("OBSERVATORY_METRICS_TOKEN")  # empty = /metrics answers this machine only

# --- what it says of itself: one line an event, ids and numbers, never what a conversation says ---
LOG_LEVEL = env_str("OBSERVATORY_LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": "INFO"},
        "django.request": {"level": "ERROR"},  # a 404 is no event
        "pgmq": {"level": "WARNING"},
        "apprise": {"level": "CRITICAL"},  # this and the next say addresses, which of channels are secrets
        "urllib3": {"level": "ERROR"},
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}

# --- what the checks of `check --deploy` are told ---
# HSTS, redirects and secure cookies are for TLS, which OBSERVATORY_HTTPS or an https:// public URL turns on.
# Without them the server is reached on its own machine, or behind a proxy that has not said so. Subdomains and the
# preload lists of browsers (W005, W021) are the domain owner's to decide.
_ABOUT_TLS = ["security.W004", "security.W008", "security.W012", "security.W016"]
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", *([] if HTTPS else _ABOUT_TLS)]
