"""How our own webhook is signed, so that its receiver knows whom it is from and that it is no old one. Pure."""

import hashlib
import hmac
import secrets
from datetime import datetime

SIGNATURE_HEADER = "Observatory-Signature"
KEY_PREFIX = "whsec_"


def new_signing_key() -> str:
    """256 random bits."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def signature(signing_key: str, body: bytes, at: datetime) -> str:
    """`t=<seconds since 1970>,v1=<hex of HMAC-SHA256 over "t.body">`. The time is signed with the body: what was
    recorded on the way cannot be played back later."""
    seconds = str(int(at.timestamp()))
    mac = hmac.new(signing_key.encode(), seconds.encode() + b"." + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"
