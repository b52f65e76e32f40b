import time

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.errors import Refused, Unavailable
from conversations.models import SecondFactor, User
from conversations.people import second_factor as factor
from conversations.people.sealing import seal, unseal

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def dora(db):
    return User.objects.create_user("dora@example.org")


@pytest.fixture
def clock(monkeypatch):
    """Moves when told to."""
    now = [1_800_000_000]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def code_at(seconds):
    return pyotp.TOTP(SECRET).at(seconds)


def test_code_of_the_app_turns_it_on(dora, clock):
    codes = factor.turn_on(dora, SECRET, code_at(clock[0]))

    assert factor.has_second_factor(dora)
    assert len(set(codes)) == factor.RECOVERY_CODES
    assert SECRET not in SecondFactor.objects.get().sealed_secret


@pytest.mark.parametrize("code", ["000000", "", "12345", "1234567", "abcdef", "١٢٣٤٥٦"])
def test_wrong_code_does_not(dora, clock, code):
    with pytest.raises(Refused):
        factor.turn_on(dora, SECRET, code)

    assert not factor.has_second_factor(dora)


def test_code_is_good_once(dora, clock):
    factor.turn_on(dora, SECRET, code_at(clock[0]))
    assert not factor.is_right(dora, code_at(clock[0]))  # turned it on: used

    clock[0] += 30
    code = code_at(clock[0])
    assert factor.is_right(dora, f"{code[:3]} {code[3:]}")
    assert not factor.is_right(dora, code)


@pytest.mark.parametrize(("late", "is_right"), [(-61, False), (-30, True), (30, True), (61, False)])
def test_clocks_may_differ_by_half_a_minute(dora, clock, late, is_right):
    factor.turn_on(dora, SECRET, code_at(clock[0]))
    clock[0] += 3_000

    assert factor.is_right(dora, code_at(clock[0] - clock[0] % 30 + late)) is is_right


def test_recovery_code_is_good_once(dora, clock):
    codes = factor.turn_on(dora, SECRET, code_at(clock[0]))

    assert factor.is_right(dora, codes[3].upper().replace("-", " "))
    assert not factor.is_right(dora, codes[3])
    assert factor.is_right(dora, codes[4])


def test_renewed_recovery_codes_end_the_old(dora, clock):
    old = factor.turn_on(dora, SECRET, code_at(clock[0]))
    new = factor.renew_recovery_codes(dora)

    assert not factor.is_right(dora, old[0])
    assert factor.is_right(dora, new[0])


def test_nobody_has_a_right_code_without_a_factor(dora):
    assert not factor.is_right(dora, "123456")


def test_secret_needs_the_key_it_was_sealed_with(dora, clock, settings):
    factor.turn_on(dora, SECRET, code_at(clock[0]))
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another"

    with pytest.raises(Unavailable):
        factor.is_right(dora, "123456")

    settings.SECRET_KEY_FALLBACKS = [former]
    clock[0] += 30
    assert factor.is_right(dora, code_at(clock[0]))


@given(st.text())
def test_sealing_keeps_what_it_was_given(text):
    assert unseal(seal(text)) == text
