import pytest
from django.core.management import CommandError, call_command

from conversations.models import Activity, Membership, SecondFactor, User
from conversations.people.sealing import seal, unseal


@pytest.fixture
def dora(acme):
    user = User.objects.create_user("dora@example.org")
    Membership.objects.create(workspace=acme, user=user, role="viewer")
    return user


def test_second_factor_of_somebody_who_lost_it_is_removed(dora, capsys):
    SecondFactor.objects.create(user=dora, sealed_secret="x")

    call_command("remove_second_factor", "Dora@example.org")

    assert not SecondFactor.objects.exists()
    assert Activity.objects.get(action="person.second_factor_off").detail == {"by": "manage.py"}


@pytest.mark.parametrize(("email", "why"), [("no@example.org", "Nobody"), ("dora@example.org", "no second factor")])
def test_there_must_be_one(dora, email, why):
    with pytest.raises(CommandError, match=why):
        call_command("remove_second_factor", email)


def test_reseal_brings_second_factors_to_the_present_key(dora, settings):
    SecondFactor.objects.create(user=dora, sealed_secret=seal("SECRET"))
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    settings.SECRET_KEY_FALLBACKS = [former]

    call_command("reseal")

    settings.SECRET_KEY_FALLBACKS = []
    assert unseal(SecondFactor.objects.get().sealed_secret) == "SECRET"


def test_reseal_names_those_it_cannot_read(dora, settings):
    SecondFactor.objects.create(user=dora, sealed_secret=seal("SECRET"))
    settings.SECRET_KEY = "another"

    with pytest.raises(CommandError, match="dora"):
        call_command("reseal")
