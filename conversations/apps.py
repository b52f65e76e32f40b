"""The one Django app: everything Observatory is about."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    """Conversations, their compactions, and what became of what was said."""

    name = "conversations"
    default_auto_field = "django.db.models.BigAutoField"
