"""Make the database and the static files fit for this version; on the first run, a workspace, an owner and a key."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse
from pgmq.install import install_pgmq_from_sql

from conversations.models import Batch, Membership, User, Workspace
from conversations.ops.accounts import create_sign_in_link
from conversations.people.keys import create_api_key
from conversations.vocabulary import MemberRole, Scope
from observatory.static import LEFT_OUT

OWNER = "owner@localhost"
#: Two servers that start at once on one database must not both migrate it.
_LOCK = 0x0B5E_0001


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the first run tells, once. Both empty on later runs."""

    sign_in_path: str = ""
    api_key: str = ""

    def as_dict(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


def prepare() -> Welcome:
    """Everything that must be done before the server starts; does nothing where nothing is to be done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        call_command("migrate", interactive=False, verbosity=0)
        if settings.QUEUE_IN_DATABASE:
            install_queue()
        if settings.EMBEDDED_POSTGRES:
            release_claims()
        collect_static()
        welcome = first_run()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return welcome


def install_queue() -> None:
    """pgmq's tables and functions, unless they are there (as an extension, or from an earlier run)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace('pgmq') IS NOT NULL")
        [installed] = cursor.fetchone()
    if not installed:
        with transaction.atomic():
            install_pgmq_from_sql(conn=connection.connection)


def release_claims() -> None:
    """Give back what was being digested when the last run ended; nobody else can be at it on a database of our own.
    Where others may be, the claims run out by themselves after 120 s."""
    Batch.objects.pending().exclude(claimed_until=None).update(claimed_until=None)


def collect_static() -> None:
    """Give static files their hashed names and compress them, when one has changed."""
    mark = settings.STATIC_ROOT / ".collected"
    fingerprint = _fingerprint()
    if not mark.exists() or mark.read_text() != fingerprint:
        call_command("collectstatic", interactive=False, verbosity=0, clear=True, ignore_patterns=LEFT_OUT)
        mark.write_text(fingerprint)


def _fingerprint() -> str:
    digest = sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list(LEFT_OUT):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@transaction.atomic
def first_run() -> Welcome:
    """A workspace, its owner and a key, where there is no workspace yet."""
    if Workspace.objects.exists():
        return Welcome()
    workspace = Workspace.objects.create(slug="default", name="Default")
    owner = User.objects.create_user(OWNER, name="Owner")
    Membership.objects.create(workspace=workspace, user=owner, role=MemberRole.OWNER)
    _, key = create_api_key(workspace=workspace, name="first key", scopes=[Scope.INGEST, Scope.READ], created_by=owner)
    return Welcome(reverse("sign_in_link", args=[create_sign_in_link(owner)]), key)
