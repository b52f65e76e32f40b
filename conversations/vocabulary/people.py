"""Who may do what, how people come in, and what they have by e-mail."""

from enum import StrEnum


class MemberRole(StrEnum):
    """What a member of a workspace may do; each may do what those after it may."""

    OWNER = "owner"
    ADMIN = "admin"
    REVIEWER = "reviewer"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What an API key may do."""

    INGEST = "ingest"
    READ = "read"
    REVIEW = "review"  # judge: verdicts, marks
    MANAGE = "manage"  # rules, channels, budgets, incidents


class SignInWay(StrEnum):
    """How a person came in."""

    PASSWORD = "password"  # noqa: S105 -- the word, not one
    LINK = "link"
    INVITATION = "invitation"
    OIDC = "oidc"


class MailKind(StrEnum):
    """What somebody can have by e-mail."""

    NOTICES = "notices"  # what they are told in the app
    WEEK = "week"  # the workspace's week


class MailPeriod(StrEnum):
    """How often, at most."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
