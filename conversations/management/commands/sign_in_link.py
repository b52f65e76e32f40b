"""Print a one-time sign-in link for a person."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from conversations.models import User
from conversations.ops.accounts import create_sign_in_link


class Command(BaseCommand):
    """`manage.py sign_in_link alice@example.org`."""

    help = "Print a link that signs a person in, once, within 24 hours."

    def add_arguments(self, parser: CommandParser) -> None:
        """One address; where the server is reached, when that is not OBSERVATORY_PUBLIC_URL."""
        parser.add_argument("email")
        parser.add_argument("--url", default=settings.PUBLIC_URL or "http://localhost:8000")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the link."""
        user = User.objects.filter(email__iexact=options["email"], is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {options['email']}.")
        self.stdout.write(options["url"].rstrip("/") + reverse("sign_in_link", args=[create_sign_in_link(user)]))
