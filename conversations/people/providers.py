"""People whom an OpenID provider vouches for: who of ours each is, or becomes."""

from dataclasses import dataclass

from django.db import transaction

from conversations.errors import Refused
from conversations.models import Membership, SignInLink, User, Workspace
from conversations.people.activity import record_activity, record_of_person
from conversations.people.second_factor import turn_off
from conversations.people.sessions import end_sessions
from conversations.people.single_sign_on import Provider, is_trusted_with


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the provider says of somebody."""

    email: str
    is_verified: bool
    name: str = ""


def check_allowed(vouched: Vouched, by: Provider) -> None:
    """Raises Refused for an address that is not verified, or of a domain that may not come in so."""
    if not vouched.email or not vouched.is_verified:
        raise Refused("Your provider does not vouch for an e-mail address of yours.")
    domain = vouched.email.rpartition("@")[2].lower()
    if by.domains and domain not in {each.lower() for each in by.domains}:
        raise Refused(f"Addresses of {domain} cannot sign in this way.")


@transaction.atomic
def person_of(vouched: Vouched, by: Provider) -> User:
    """The account with this address, handed over to whom the provider says it belongs to; or a new one, where the
    server makes them. Raises Refused."""
    check_allowed(vouched, by)
    user = User.objects.filter(email__iexact=vouched.email).first()
    if user is not None:
        if not is_trusted_with(by, user):
            raise Refused("Your account leads into other workspaces as well. Sign in to it as before.")
        _hand_over(user, by)
        return user
    if not by.auto_create:
        raise Refused("There is no account for you here. Ask for an invitation.")
    return _create(vouched, by)


def _hand_over(user: User, by: Provider) -> None:
    """Whoever made the account need not own the address: their ways in end."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    turn_off(user)
    end_sessions(user)
    SignInLink.objects.filter(user=user, used_at=None).delete()
    record_of_person(user, "person.linked", detail={"to": by.issuer})


def _create(vouched: Vouched, by: Provider) -> User:
    user = User.objects.create_user(vouched.email, None, name=vouched.name[:120])
    workspace = _first_workspace(by)
    if workspace is not None:
        role = by.default_role
        Membership.objects.create(workspace=workspace, user=user, role=role)
        detail = {"role": role, "by": "OpenID Connect"}
        record_activity(workspace=workspace, actor=user, action="member.joined", target=user, detail=detail)
    return user


def _first_workspace(by: Provider) -> Workspace | None:
    """The one that the settings name, or the only one there is; None where that is not said."""
    rows = Workspace.objects.all()
    found = list((rows.filter(slug=by.workspace) if by.workspace else rows)[:2])
    return found[0] if len(found) == 1 else None
