"""The server's OpenID provider: of the environment, else as an owner of the first workspace has set it; or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from conversations.models import Membership, SignInProvider, User, Workspace, isolation
from conversations.people.activity import record_activity
from conversations.people.sealing import seal, unseal
from conversations.vocabulary import MemberRole

#: What somebody may become who comes for the first time.
ROLES = (MemberRole.VIEWER, MemberRole.REVIEWER, MemberRole.ADMIN)


@dataclass(frozen=True, slots=True)
class Provider:
    """`workspace` is the slug of the one that new people come into; empty: the only one there is."""

    issuer: str
    name: str
    client_id: str
    domains: tuple[str, ...]
    auto_create: bool
    default_role: str
    workspace: str
    plain_secret: str = ""
    sealed_secret: str = ""

    @property
    def is_of_environment(self) -> bool:
        """Whoever starts the server is trusted with everything on it; whoever set it on a page, with one workspace."""
        return not self.sealed_secret

    def secret(self) -> str:
        """Of the client. Raises Unavailable where it was encrypted with a key that the server does not have."""
        return unseal(self.sealed_secret) if self.sealed_secret else self.plain_secret


def provider() -> Provider | None:
    """By what people sign in beside their passwords."""
    return environment() or _of_page()


def environment() -> Provider | None:
    """As whoever starts the server has set it; None where they have not."""
    if not settings.OIDC_ISSUER:
        return None
    return Provider(
        issuer=settings.OIDC_ISSUER,
        name=settings.OIDC_NAME,
        client_id=settings.OIDC_CLIENT_ID,
        domains=tuple(settings.OIDC_DOMAINS),
        auto_create=settings.OIDC_AUTO_CREATE,
        default_role=settings.OIDC_DEFAULT_ROLE,
        workspace=settings.OIDC_WORKSPACE,
        plain_secret=settings.OIDC_CLIENT_SECRET,
    )


def _of_page() -> Provider | None:
    row = SignInProvider.objects.select_related("workspace").order_by("workspace_id").first()
    if row is None:
        return None
    return Provider(
        issuer=row.issuer,
        name=row.name,
        client_id=row.client_id,
        domains=tuple(row.domains),
        auto_create=row.auto_create,
        default_role=row.default_role,
        workspace=row.workspace.slug,
        sealed_secret=row.sealed_secret,
    )


def is_trusted_with(chosen: Provider, user: User) -> bool:
    """Whether an account may become whose address the provider says it is: not one that leads into workspaces whose
    people did not choose the provider."""
    elsewhere = Membership.objects.filter(user=user).exclude(workspace__slug=chosen.workspace)
    return chosen.is_of_environment or not elsewhere.exists()


# --- setting it -------------------------------------------------------------------------------------------------------


def may_set(workspace: Workspace) -> bool:
    """Whether its owners speak for the server: it was there first."""
    with isolation.unrestricted():  # which hides the others
        return not Workspace.objects.filter(pk__lt=workspace.pk).exists()


def set_provider(workspace: Workspace, values: Mapping[str, Any], *, by: User) -> SignInProvider:
    """`values` by the names of the columns, with the `secret`, which is kept where none is given."""
    columns = {name: value for name, value in values.items() if name != "secret"}
    if values.get("secret"):
        columns["sealed_secret"] = seal(values["secret"])
    row, _ = SignInProvider.objects.update_or_create(workspace=workspace, defaults=columns)
    detail = {name: columns[name] for name in ("issuer", "domains", "auto_create", "default_role")}
    record_activity(workspace=workspace, actor=by, action="sign_in_provider.set", target=row, detail=detail)
    return row


def remove_provider(row: SignInProvider, by: User) -> None:
    """Who came by it needs another way in: a link that an admin of the server prints."""
    detail = {"issuer": row.issuer}
    record_activity(workspace=row.workspace, actor=by, action="sign_in_provider.removed", target=row, detail=detail)
    row.delete()
