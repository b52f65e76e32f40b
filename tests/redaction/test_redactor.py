import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.redaction.detectors import BY_NAME, DEFAULTS, DETECTORS, finders_of
from conversations.redaction.redactor import PLACEHOLDER, Redactor

KEY = b"k" * 32
EVERYTHING = Redactor(BY_NAME, {"order number": r"ORD-\d{6}", "the word": "secret"}, KEY)
BODY = "MIIEpAIBAAKCAQEA7bq98cRT7vL2mGqkTn5uWzHs0p3vYxJd\n"
#: Of each detector a text, and what of it is secret. Made up, all of them.
FOUND = [
    ("private_key", f"key:\n-----BEGIN RSA PRIVATE KEY-----\n{BODY * 3}-----END RSA PRIVATE KEY-----\n", BODY * 3),
    ("private_key", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY * 2}cut off", BODY.strip()),
    ("private_key", "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: " + "0f" * 20, "AAAA"),
    ("password_in_url", "postgres://bob:hunter2@db.internal/shop", "hunter2"),
    ("aws", "AKIA2E0A8F3B244C9986 is the id", "AKIA2E0A8F3B244C9986"),
    ("aws", "aws_secret_key = 'c64Ml7ZPoQ3k/dWxPl8CQ1J+0RAyD5Vb9uTz2e4X'", "c64Ml7ZPoQ3k/dWxPl8CQ1J+0RAyD5Vb9uTz2e4X"),
    ("azure_storage", "AccountKey=" + "a1B/" * 22, "a1B/" * 22),
    ("anthropic", "ANTHROPIC_API_KEY=sk-ant-api03-" + "Zx9_" * 10, "sk-ant-api03-" + "Zx9_" * 10),
    ("openai", "sk-proj-" + "aB3-" * 12, "aB3-" * 12),
    ("openai", "sk-" + "a1B2c" * 4 + "T3BlbkFJ" + "d4E5f" * 4, "T3BlbkFJ"),
    ("google", "AIza" + "Sy-A1" * 7, "AIza" + "Sy-A1" * 7),
    ("github", "ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9),
    ("github", "github_pat_" + "11ABC" * 12, "github_pat_" + "11ABC" * 12),
    ("gitlab", "glpat-" + "x1Y2z" * 4, "glpat-" + "x1Y2z" * 4),
    ("hugging_face", "hf_" + "aB" * 17, "hf_" + "aB" * 17),
    ("observatory", "obs_" + "aB3_x" * 8 + "abc", "obs_" + "aB3_x" * 8 + "abc"),
    ("jwt", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.q3-Z_w", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.q3-Z_w"),
    ("slack", "xoxb-1234567890-1234567890-abcdefABCDEF", "xoxb-1234567890-1234567890-abcdefABCDEF"),
    ("slack", "https://hooks.slack.com/services/T0AB/B0CD/x1y2z3", "T0AB/B0CD/x1y2z3"),
    ("stripe", "rk_live_" + "a1B2" * 7, "rk_live_" + "a1B2" * 7),
    ("square", "sq0csp-" + "a1B2c" * 8 + "xyz", "a1B2c" * 8 + "xyz"),
    ("sendgrid", f"SG.{'a' * 22}.{'b' * 43}", "b" * 43),
    ("mailchimp", "0a1b2c3d" * 4 + "-us12", "0a1b2c3d" * 4),
    ("twilio", "SK" + "0a1b" * 8, "SK" + "0a1b" * 8),
    ("telegram", "110201543:" + "AAHdq" * 7, "AAHdq" * 7),
    ("discord", f"M{'Tk4' * 8}.Cl2FMQ.{'aB3' * 9}", "aB3" * 9),
    ("npm", "//registry.example.org/:_authToken=npm_" + "aB3x" * 9, "npm_" + "aB3x" * 9),
    ("pypi", "pypi-AgEIcHlwaS5vcmc" + "aB3x" * 20, "aB3x" * 20),
    ("artifactory", 'token: "AKC' + "p8Zq" * 5 + '"', "AKC" + "p8Zq" * 5),
    ("cloudant", "cloudant_password = '" + "0a1b" * 16 + "'", "0a1b" * 16),
    ("ibm_cloud", "ibm_cloud_iam_api_key: '" + "aB3_" * 11 + "'", "aB3_" * 11),
    ("softlayer", "softlayer_api_key = '" + "0a1b" * 16 + "'", "0a1b" * 16),
    ("email", "Write to jane.doe+x@mail.example.co.uk.", "jane.doe+x@mail.example.co.uk"),
    ("card", "paid with 4111 1111 1111 1111 today", "4111 1111 1111 1111"),
    ("card", "paid with 378282246310005 today", "378282246310005"),
    ("iban", "to DE89 3704 0044 0532 0130 00 PLEASE", "DE89 3704 0044 0532 0130 00"),
    ("phone", "call +49 30 901820 now", "+49 30 901820"),
    ("us_ssn", "SSN 536-90-4399.", "536-90-4399"),
    ("ip", "from 8.8.4.4:53", "8.8.4.4"),
]
#: What agents write all day, and nobody's secret.
ORDINARY = [
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b, 550e8400-e29b-41d4-a716-446655440000",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "/srv/shop-web/app/models/user.py:120, ~/.ssh/id_ed25519.pub, C:\\Users\\me\\x.txt",
    "1763888400123456789 ns, 1763888400123 ms, port 5432, 4111111111111112, 1234567890123456",
    "def password(token: str = os.environ['API_KEY']) -> str: return f'{user}:{token}'",
    "git clone git@github.com:owner/repo.git && npm i react@18.3.1 @types/node@22",
    "postgres://bob:${DB_PASS}@db/shop, https://user:<password>@host/, http://localhost:8000/a@b",
    "@pytest.fixture\n@property.setter\nx = a @ b.T\nemail = user.email",
    "grep -rn 'BEGIN RSA PRIVATE KEY' . # none",
    "uid 1000 gid 1000 0x7fff5fbff8c0 v1.2.3.4-rc1 10.0.0.1 192.168.1.17 127.0.0.1",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "DE12 IS NOT A BANK ACCOUNT, AND GB29NWBK60161331926810 HAS A WRONG SUM",
]


@pytest.mark.parametrize(("detector", "text", "secret"), FOUND, ids=lambda value: str(value)[:20])
def test_detector_finds_the_whole_of_its_secret(detector, text, secret):
    redactor = Redactor([detector], {}, KEY)

    without = redactor.text(text)

    assert secret in text
    assert secret not in without
    assert f"[{BY_NAME[detector].label} #" in without
    assert redactor.text(without) is without


def test_every_detector_is_shown_to_work():
    assert {name for name, *_ in FOUND} == set(BY_NAME)
    assert all(finders_of(detector.name) for detector in DETECTORS)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone_by_the_default_detectors(text):
    redactor = Redactor(DEFAULTS, {}, KEY)

    assert redactor.text(text) is text


def test_equal_secrets_look_equal_and_others_do_not():
    text = EVERYTHING.text("a@b.org, c@d.org, a@b.org")
    first, second, third = text.split(", ")

    assert (first == third, first == second) == (True, False)
    assert first != Redactor(["email"], {}, b"another").text("a@b.org")


def test_what_is_around_a_secret_stays():
    assert EVERYTHING.text("for ORD-123456!") == f"for {EVERYTHING.placeholder('order number', 'ORD-123456')}!"


def test_secrets_that_overlap_are_taken_out_together():
    url = "https://bob:pw@jane.example.org/"
    without = EVERYTHING.text(url)

    assert "pw" not in without
    assert "jane" not in without


def test_secret_that_another_one_hid_is_taken_out_too():
    """`AKIA…` is no key within a longer word; it is one when the word before it is gone."""
    redactor = Redactor([], {"longer": "abc[0-9]+", "rest": r"\bX+\b"}, KEY)

    without = redactor.text("abc123XXX")

    assert "X" not in without
    assert redactor.text(without) is without


def test_values_are_redacted_wherever_text_stands_in_them():
    value = {"to": ["a@b.org", 4111111111111111, 1763888400123, True, None, 1.5], "c@d.org": {"x": "y"}}

    without = EVERYTHING.value(value)

    assert without["to"][0] == EVERYTHING.placeholder("email", "a@b.org")
    assert without["to"][1] == EVERYTHING.placeholder("card number", "4111111111111111")
    assert without["to"][2:] == [1763888400123, True, None, 1.5]
    assert without[EVERYTHING.placeholder("email", "c@d.org")] == {"x": "y"}
    assert EVERYTHING.value(without) is without


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Ask the team…", "Ask the …"),
        ("Ask the …", "Ask the …"),
        ("ghp_a1B2…", "…"),
        ("…", "…"),
        ("", ""),
        ("to DE89 3704 0044 05…", "to …"),
        ("+49 30 90…", "…"),
        ("cut without a sign", "cut without a …"),
    ],
)
def test_cut_text_loses_what_may_be_half_a_secret(text, without):
    assert EVERYTHING.cut_text(text) == without
    assert EVERYTHING.cut_text(without) == without


def test_placeholder_at_the_end_of_a_cut_text_stays():
    assert EVERYTHING.cut_text("Ask a@b.org…") == f"Ask {EVERYTHING.placeholder('email', 'a@b.org')} …"


PIECES = st.sampled_from([text for _, text, _ in FOUND] + [secret for *_, secret in FOUND] + ORDINARY)
NOISE = st.text(alphabet="aAkK019@.:/-_ \n\"'=#[]+é😀", max_size=30)
TEXTS = st.lists(st.one_of(PIECES, NOISE, st.sampled_from(["[email #a1b2c3]", "secret", "ORD-1234567"])), max_size=8)


@given(TEXTS)
@example(["a@b.org", "a@b.org"])
def test_spans_are_in_the_text_in_order_and_apart(parts):
    text = "".join(parts)
    end = 0
    for span in EVERYTHING.spans(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end


@given(TEXTS)
def test_redacting_twice_changes_nothing(parts):
    once = EVERYTHING.text("".join(parts))

    assert EVERYTHING.text(once) is once


@given(TEXTS)
def test_nothing_is_found_in_what_is_left(parts):
    without = EVERYTHING.text("".join(parts))

    assert EVERYTHING.spans(without) == []
    assert EVERYTHING.spans(PLACEHOLDER.sub("\n", without)) == []


@pytest.mark.parametrize(
    "text",
    [
        "/" * 200_000 + ":_authToken=",
        "//" + "a/" * 100_000,
        "aws" * 70_000,
        "eyJ" * 70_000,
        "://" + "a:" * 100_000,
        "-----BEGIN RSA PRIVATE KEY-----" * 6_000,
        "@a." * 70_000,
        "4111-" * 40_000,
        "+49 " * 50_000,
        "[a " * 70_000,
        "AKIA" * 50_000,
        "softlayer_api_key='" * 10_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_ends_in_bounded_time(text):
    begun = time.process_time()

    EVERYTHING.text(text)

    assert time.process_time() - begun < 3, "200 kB; ordinary text of that size takes 10 ms"
