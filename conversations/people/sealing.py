"""Secrets of people at rest: Fernet with a key made of the server's secret key; a backup alone opens nothing."""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from conversations.errors import Unavailable


def seal(text: str) -> str:
    """Encrypted with the server's present key."""
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What `seal` was given. Raises Unavailable when it was sealed with a key that the server does not have."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unavailable(
            "The second factor cannot be checked: it was encrypted with another secret key.",
            mend="Name the old key in OBSERVATORY_SECRET_KEY_FALLBACKS, or run `manage.py remove_second_factor`.",
        ) from None


def reseal(sealed: str) -> str:
    """The same with the present key. Raises Unavailable as `unseal`."""
    return seal(unseal(sealed))


def _fernet() -> MultiFernet:
    return MultiFernet([_key_of(text) for text in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@cache
def _key_of(text: str) -> Fernet:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"observatory: second factors")
    return Fernet(base64.urlsafe_b64encode(kdf.derive(text.encode())))
