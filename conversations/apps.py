"""The one Django app: everything Observatory is about."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _protect(**told: Any) -> None:
    from conversations.models.row_security import protect  # noqa: PLC0415 -- needs the models

    protect(**told)


class ConversationsConfig(AppConfig):
    """Conversations, their compactions, and what became of what was said."""

    name = "conversations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """What migrations make, Postgres shows to the workspace it belongs to only; jobs are sent by our Celery app."""
        import observatory.celery  # noqa: F401, PLC0415 -- 0.3 s that a command without a store does not need

        post_migrate.connect(_protect, dispatch_uid="row security")
