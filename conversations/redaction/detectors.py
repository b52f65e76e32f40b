"""What is looked for: each detector by its name, with the library that knows its shape."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from conversations.redaction import checks
from conversations.redaction.expressions import compiled, of_library

SECRETS, PERSONAL = "Secrets", "Personal data"

#: The body of a key after its header; without the header's body it is only spoken of.
_KEY_BODY = (
    r"(?:-----[\w+/=\s\\:,.\-]*?-----END [A-Z0-9 ]+-----|-----(?:[\s\\nr\"',+]*[A-Za-z0-9+/=]{40,})+"
    r"|[\w+/=\s\\:,.()@\-]*?Private-MAC: [0-9a-f]{40})"
)
_WORD = r"[A-Za-z0-9_\-]*"  # what goes on is still the token


@dataclass(frozen=True, slots=True)
class Detector:
    """One kind of secret. `hint` is a short expression that occurs wherever the others match: all hints are looked for
    in one pass, and nearly every text ends there."""

    name: str
    label: str  # in the placeholder
    title: str  # for people who choose
    group: str
    hint: str
    plugin: str = ""  # of detect-secrets
    expressions: tuple[str, ...] = ()  # beside the plugin's
    tail: str = ""  # what the secret goes on with where the library's expression only recognises its beginning
    secret: int = 0  # the group that is the secret, in expressions that have one
    check: Callable[[str], bool] | None = None
    default: bool = True


@dataclass(frozen=True, slots=True)
class Finder:
    """One compiled expression of a detector."""

    pattern: Any
    group: int
    check: Callable[[str], bool] | None


DETECTORS: tuple[Detector, ...] = (
    Detector(
        "private_key", "private key", "Private keys", SECRETS,
        hint=r"PRIVATE KEY|PuTTY-User-Key", plugin="private_key", tail=_KEY_BODY,
    ),
    Detector(
        "password_in_url", "password in url", "Passwords in URLs", SECRETS,
        hint=r"://[^\s/@:]+:[^\s@/]+@", plugin="basic_auth", secret=1, check=checks.is_password,
    ),
    Detector(
        "aws", "aws key", "AWS access keys", SECRETS,
        hint=r"AKIA|ACCA|ASIA|ABIA|A3T|(?i)aws", plugin="aws", secret=1,
    ),
    Detector(
        "azure_storage", "azure key", "Azure storage keys", SECRETS, hint="AccountKey=", plugin="azure_storage_key"
    ),
    Detector(
        "anthropic", "anthropic key", "Anthropic keys", SECRETS,
        hint="sk-ant-", expressions=(r"\bsk-ant-[A-Za-z0-9_\-]{20,}",),
    ),
    Detector(
        "openai", "openai key", "OpenAI keys", SECRETS,
        hint=r"T3BlbkFJ|sk-proj-|sk-svcacct-", plugin="openai",
        expressions=(r"\bsk-(?:proj|svcacct)-[A-Za-z0-9_\-]{20,}",), tail=_WORD,
    ),
    Detector(
        "google", "google key", "Google API keys", SECRETS,
        hint="AIza", expressions=(r"\bAIza[0-9A-Za-z_\-]{35}",), tail=_WORD,
    ),
    Detector(
        "github", "github token", "GitHub tokens", SECRETS,
        hint=r"gh[pousr]_|github_pat_", plugin="github_token",
        expressions=(r"\bgithub_pat_[A-Za-z0-9_]{22,}",), tail=_WORD,
    ),
    Detector(
        "gitlab", "gitlab token", "GitLab tokens", SECRETS,
        hint=r"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-|GR1348941", plugin="gitlab_token", tail=_WORD,
    ),
    Detector(
        "hugging_face", "hugging face token", "Hugging Face tokens", SECRETS,
        hint=r"hf_[A-Za-z]", expressions=(r"\bhf_[A-Za-z]{34}",), tail=_WORD,
    ),
    Detector(
        "observatory", "observatory key", "Keys of this server", SECRETS,
        hint="obs_", expressions=(r"\bobs_[A-Za-z0-9_\-]{43}",), tail=_WORD,
    ),
    Detector(
        "jwt", "json web token", "JSON Web Tokens", SECRETS,
        hint=r"eyJ[^.\s]+\.", plugin="jwt", tail=r"[A-Za-z0-9\-_.+/=]*",
    ),
    Detector("slack", "slack token", "Slack tokens and webhooks", SECRETS,
             hint=r"(?i)xox[aposbr]-|hooks\.slack", plugin="slack", tail=_WORD),
    Detector("stripe", "stripe key", "Stripe live keys", SECRETS, hint="[rs]k_live_", plugin="stripe", tail=_WORD),
    Detector("square", "square secret", "Square OAuth secrets", SECRETS, hint="sq0csp-", plugin="square_oauth"),
    Detector("sendgrid", "sendgrid key", "SendGrid keys", SECRETS, hint=r"SG\.", plugin="sendgrid", tail=_WORD),
    Detector("mailchimp", "mailchimp key", "Mailchimp keys", SECRETS, hint=r"-us[0-9]", plugin="mailchimp"),
    Detector("twilio", "twilio key", "Twilio account ids and keys", SECRETS,
             hint=r"(?:AC|SK)[a-z0-9]{32}", plugin="twilio", tail=_WORD),
    Detector("telegram", "telegram token", "Telegram bot tokens", SECRETS,
             hint=r"\d{8}:[0-9A-Za-z_-]", plugin="telegram_token", tail=_WORD),
    Detector("discord", "discord token", "Discord bot tokens", SECRETS,
             hint=r"\.[a-zA-Z\d_-]{6}\.[a-zA-Z\d_-]{27}", plugin="discord", tail=_WORD),
    Detector("npm", "npm token", "npm tokens", SECRETS,
             hint=r"_authToken=|npm_[A-Za-z0-9]{36}", plugin="npm", secret=1,
             expressions=(r"\b(npm_[A-Za-z0-9]{36,})",)),
    Detector("pypi", "pypi token", "PyPI tokens", SECRETS, hint="pypi-AgE", plugin="pypi_token", tail=_WORD),
    Detector(
        "artifactory", "artifactory token", "Artifactory tokens", SECRETS,
        hint=r"AKC|AP[\dA-F][a-zA-Z0-9]{8}", plugin="artifactory", default=False,
    ),
    Detector(
        "cloudant", "cloudant key", "Cloudant keys and passwords", SECRETS,
        hint=r"(?i)cl(?:ou|oudant)?[_-]?(?:api)?[_-]?(?:key|pw|pass|token)|cloudant\.com", plugin="cloudant", secret=1,
        default=False,
    ),
    Detector(
        "ibm_cloud", "ibm cloud key", "IBM Cloud IAM keys", SECRETS,
        hint=r"(?i)(?:key|pwd|pass|token)[\w-]*[\"'\]]* *(?:=|:| )", plugin="ibm_cloud_iam", secret=1, default=False,
    ),
    Detector(
        "softlayer", "softlayer key", "SoftLayer keys", SECRETS,
        hint=r"(?i)softlayer|sl[_-]?", plugin="softlayer", secret=1, default=False,
    ),
    Detector(
        "email", "email", "E-mail addresses", PERSONAL, hint=r"@[A-Za-z0-9]", check=checks.is_email,
        expressions=(
            r"[A-Za-z0-9._%+\-]*[A-Za-z0-9_%+\-]@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24}\b",
        ),
    ),
    Detector(
        "card", "card number", "Payment card numbers", PERSONAL, check=checks.is_card, secret=1,
        hint=r"\d{12}|\d{4}[ -]\d{4}[ -]\d{4}|\d{4}[ -]\d{6}[ -]\d{4}",
        expressions=(r"(?:^|[^\w.\-])(\d{14,16}|\d{4}(?:[ -]\d{4}){3}|\d{4}[ -]\d{6}[ -]\d{4,5})\b",),
    ),
    Detector(
        "iban", "iban", "Bank accounts (IBAN)", PERSONAL, hint=r"[A-Z]{2}\d{2}[ A-Z0-9]{11}", check=checks.is_iban,
        expressions=(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",),
    ),
    Detector(
        "phone", "phone number", "Phone numbers (+49 …)", PERSONAL, hint=r"\+[1-9]",
        check=checks.is_phone, secret=1, default=False, expressions=(r"(?:^|[^\w+])(\+[1-9][\d ()./\-]{6,22}\d)\b",),
    ),
    Detector(
        "us_ssn", "social security number", "US social security numbers", PERSONAL,
        hint=r"\d{3}-\d{2}-\d{4}", check=checks.is_ssn, secret=1, default=False,
        expressions=(r"(?:^|[^\w\-])(\d{3}-\d{2}-\d{4})\b",),
    ),
    Detector(
        "ip", "ip address", "Public IP addresses (v4)", PERSONAL, hint=r"\d\.\d{1,3}\.\d", check=checks.is_public_ip,
        secret=1, default=False, expressions=(r"(?:^|[^\w.])(\d{1,3}(?:\.\d{1,3}){3})\b",),
    ),
)  # fmt: skip
BY_NAME = {detector.name: detector for detector in DETECTORS}
DEFAULTS = tuple(detector.name for detector in DETECTORS if detector.default)


@cache
def finders_of(name: str) -> tuple[Finder, ...]:
    """A detector's expressions, compiled once a process; what is not chosen is never loaded."""
    detector = BY_NAME[name]
    written = [*(of_library(detector.plugin) if detector.plugin else ()), *detector.expressions]
    finders = []
    for expression in written:
        pattern = compiled(f"(?:{expression}){detector.tail}")
        finders.append(Finder(pattern, detector.secret if pattern.groups else 0, detector.check))
    return tuple(finders)
