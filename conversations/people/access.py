"""What each role may do, and the scopes that a key made by somebody of it may have."""

from conversations.vocabulary import MemberRole, Scope

#: Nobody hands on what they may not do themselves.
SCOPES_OF_ROLE: dict[MemberRole, frozenset[Scope]] = {
    MemberRole.OWNER: frozenset(Scope),
    MemberRole.ADMIN: frozenset(Scope),
    MemberRole.REVIEWER: frozenset({Scope.INGEST, Scope.READ, Scope.REVIEW}),
    MemberRole.VIEWER: frozenset({Scope.READ}),
}


def is_at_least(role: str, lowest: MemberRole) -> bool:
    """Whether `role` may do what `lowest` may. Roles are declared from the most powerful to the least."""
    ranks = list(MemberRole)
    return ranks.index(MemberRole(role)) <= ranks.index(lowest)


def scopes_of(role: str) -> frozenset[Scope]:
    """What a key may do that somebody of this role makes."""
    return SCOPES_OF_ROLE[MemberRole(role)]
