"""Secrets of channels at rest: Fernet (AES-128 and HMAC-SHA256) with a key made of the server's secret key.

The database alone, or a backup of it, tells no address. To change the secret key, name the old one in
`OBSERVATORY_SECRET_KEY_FALLBACKS`, run `manage.py reseal`, and take it out again.
"""

import base64
from functools import cache

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from conversations.errors import Unavailable


class Secret(msgspec.Struct, frozen=True):
    """What of a channel nobody may read."""

    address: str = ""
    signing_key: str = ""  # of a webhook

    def __repr__(self) -> str:
        return "Secret(…)"


def seal(secret: Secret) -> str:
    """Encrypted with the server's present key."""
    return _fernet().encrypt(msgspec.json.encode(secret)).decode()


def unseal(sealed: str) -> Secret:
    """What `seal` was given. Raises Unavailable when it was sealed with a key that the server does not have."""
    try:
        return msgspec.json.decode(_fernet().decrypt(sealed.encode()), type=Secret)
    except InvalidToken:
        raise Unavailable(
            "The channel's address cannot be read: it was encrypted with another secret key.",
            mend="Write the address anew, or name the old key in OBSERVATORY_SECRET_KEY_FALLBACKS.",
        ) from None


def reseal(sealed: str) -> str:
    """The same with the present key. Raises Unavailable as `unseal`."""
    return seal(unseal(sealed))


def _fernet() -> MultiFernet:
    return MultiFernet([_key_of(text) for text in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@cache
def _key_of(text: str) -> Fernet:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"observatory: secrets of channels")
    return Fernet(base64.urlsafe_b64encode(kdf.derive(text.encode())))
