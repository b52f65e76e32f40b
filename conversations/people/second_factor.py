"""The optional second factor: codes of an app (TOTP, RFC 6238), each good once, and recovery codes."""

import base64
import hashlib
import secrets
import time

import pyotp
from django.db import transaction

from conversations.errors import Refused
from conversations.models import SecondFactor, User
from conversations.people.sealing import seal, unseal

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10  # 80 bits: too many to guess, even from the hashes
_STEP_SECONDS = 30
_STEPS = (0, -1, 1)  # clocks may differ by half a minute
_DIGITS = 6


def new_secret() -> str:
    """For an app, in base32."""
    return pyotp.random_base32()


def address_for_app(user: User, secret: str) -> str:
    """The otpauth:// address that apps read from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name="Observatory")


@transaction.atomic
def turn_on(user: User, secret: str, code: str) -> list[str]:
    """Ask for codes of this secret from now on; what comes back are the recovery codes, which are nowhere stored.

    Raises Refused when the code is not of the secret."""
    step = _step_of(secret, code)
    if step is None:
        raise Refused("That is not the code that the app shows now.", at="code")
    codes = _recovery_codes()
    SecondFactor.objects.update_or_create(
        user=user,
        defaults={"sealed_secret": seal(secret), "last_step": step, "recovery_hashes": [_hash(each) for each in codes]},
    )
    return codes


def has_second_factor(user: User) -> bool:
    """Whether a code is asked for."""
    return SecondFactor.objects.filter(user=user).exists()


def turn_off(user: User) -> bool:
    """Whether it had been on."""
    return SecondFactor.objects.filter(user=user).delete()[0] > 0


def renew_recovery_codes(user: User) -> list[str]:
    """Ten others; those before are good for nothing."""
    codes = _recovery_codes()
    SecondFactor.objects.filter(user=user).update(recovery_hashes=[_hash(each) for each in codes])
    return codes


@transaction.atomic
def is_right(user: User, code: str) -> bool:
    """Whether it is a code of the app that was not used yet, or a recovery code, which is used up by it."""
    row = SecondFactor.objects.select_for_update().filter(user=user).first()
    if row is None:
        return False
    step = _step_of(unseal(row.sealed_secret), code)
    if step is not None:
        return bool(SecondFactor.objects.filter(user=user, last_step__lt=step).update(last_step=step))
    left = [bytes(each) for each in row.recovery_hashes if bytes(each) != _hash(code)]
    if len(left) == len(row.recovery_hashes):
        return False
    SecondFactor.objects.filter(user=user).update(recovery_hashes=left)
    return True


def _step_of(secret: str, code: str) -> int | None:
    digits = code.replace(" ", "")
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    now, totp = int(time.time()) // _STEP_SECONDS, pyotp.TOTP(secret)
    return next((now + off for off in _STEPS if secrets.compare_digest(totp.generate_otp(now + off), digits)), None)


def _recovery_codes() -> list[str]:
    return [_grouped(base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()) for _ in range(RECOVERY_CODES)]


def _grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4)).lower()


def _hash(code: str) -> bytes:
    plain = code.replace("-", "").replace(" ", "").lower()
    return hashlib.sha256(plain.encode()).digest()
