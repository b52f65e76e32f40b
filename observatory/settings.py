"""Every setting of the server, each from the environment, each documented in docs/operating.md."""

import secrets
from pathlib import Path

import dj_database_url

from observatory.env import BadSetting, env_bool, env_int, env_list, env_str

BASE_DIR = Path(__file__).resolve().parent.parent
# In a wheel, templates and static files lie inside the package; in a checkout beside it.
ASSETS = Path(__file__).parent / "assets" if (Path(__file__).parent / "assets").is_dir() else BASE_DIR

# --- where things are ---
DATA_DIR = Path(env_str("OBSERVATORY_DATA_DIR", str(Path.home() / ".observatory"))).expanduser()
DATABASE_URL = env_str("DATABASE_URL")  # empty = the embedded Postgres under DATA_DIR
EMBEDDED_POSTGRES = not DATABASE_URL

# --- who may reach it ---
DEBUG = env_bool("OBSERVATORY_DEBUG", default=False)
ALLOWED_HOSTS = env_list("OBSERVATORY_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
PUBLIC_URL = env_str("OBSERVATORY_PUBLIC_URL")  # e.g. https://observatory.example.org, for links in messages
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
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
HTTPS = env_bool("OBSERVATORY_HTTPS", default=PUBLIC_URL.startswith("https://"))  # cookies and redirects for TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env_bool("OBSERVATORY_PROXY", default=False) else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- limits of what is taken in ---
MAX_BODY_BYTES = env_int("OBSERVATORY_MAX_BODY_BYTES", 20_000_000)  # of one POST of events, decompressed
MAX_TRANSCRIPT_BYTES = env_int("OBSERVATORY_MAX_TRANSCRIPT_BYTES", 1_000_000_000)
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
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "conversations",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
LOGIN_URL = "sign_in"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def database() -> dict[str, object]:
    """DATABASE_URL, or the embedded Postgres, whose socket lies in the data directory."""
    if DATABASE_URL:
        config = dict(dj_database_url.parse(DATABASE_URL))
        if config["ENGINE"] != "django.db.backends.postgresql":
            raise BadSetting("DATABASE_URL must name a Postgres: postgres://user:password@host:5432/name")
        return config
    from observatory import embedded  # noqa: PLC0415 -- only where it is used

    return embedded.database(DATA_DIR)


DATABASES = {"default": database()}

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
