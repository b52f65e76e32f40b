"""Turn a person's second factor off, for those who lost both app and recovery codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.models import User
from conversations.people.activity import record_of_person
from conversations.people.second_factor import turn_off


class Command(BaseCommand):
    """`manage.py remove_second_factor alice@example.org`."""

    help = "Turn a person's second factor off, who has lost both the app and the recovery codes."

    def add_arguments(self, parser: CommandParser) -> None:
        """One address."""
        parser.add_argument("email")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Whoever runs this has made sure who asks for it."""
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"Nobody here has the address {options['email']}.")
        if not turn_off(user):
            raise CommandError(f"{user} has no second factor.")
        record_of_person(user, "person.second_factor_off", detail={"by": "manage.py"})
        self.stdout.write(f"{user} signs in without a second factor.")
