"""Who may see what: one table over every URL pattern; a pattern that is not in it fails the test."""

import re

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from conversations.models import Deletion, Hold, RedactionPattern, RetentionRule
from tests.alerts.rows import create_rule
from tests.alerts.telling import create_channel, create_incident, create_silence
from tests.audit.ledger_rows import create_entry
from tests.factories import (
    create_api_key,
    create_batch,
    create_compaction,
    create_conversation,
    create_message,
    create_workspace,
)
from tests.people.rows import create_invitation, create_member, sign_in_member
from tests.review.rows import create_comment, create_queue
from tests.spending.rows import create_budget, create_override, create_price
from tests.web.audited import create_finding

# name: (method, lowest role that may)
WORKSPACE_PAGES = {
    "overview": ("get", "viewer"),
    "conversations": ("get", "viewer"),
    "conversation": ("get", "viewer"),
    "conversation_figure": ("get", "viewer"),
    "life_lines": ("get", "viewer"),
    "message": ("get", "viewer"),
    "compactions": ("get", "viewer"),
    "compaction": ("get", "viewer"),
    "finding": ("get", "viewer"),
    "review_verdict": ("post", "reviewer"),
    "review_undo": ("post", "reviewer"),
    "review_save": ("post", "reviewer"),
    "review_mark": ("post", "reviewer"),
    "review_unmark": ("post", "reviewer"),
    "review_reopen": ("post", "reviewer"),
    "review_skip": ("post", "reviewer"),
    "review_ahead": ("post", "reviewer"),
    "say": ("post", "reviewer"),
    "looking": ("post", "viewer"),
    "assigned_threads": ("get", "viewer"),
    "assign_thread": ("get", "reviewer"),
    "edit_comment": ("get", "owner"),
    "resolve_thread": ("post", "reviewer"),
    "remove_comment": ("post", "owner"),
    "queues": ("get", "viewer"),
    "ledger": ("get", "viewer"),
    "ledger_entry": ("get", "viewer"),
    "new_ledger_entry": ("get", "reviewer"),
    "edit_ledger_entry": ("get", "reviewer"),
    "retire_ledger_entry": ("post", "reviewer"),
    "reinstate_ledger_entry": ("post", "reviewer"),
    "agreement": ("get", "viewer"),
    "digest": ("get", "viewer"),
    "digest_of_week": ("get", "viewer"),
    "report_card": ("get", "viewer"),
    "ranking_wish": ("post", "owner"),
    "calibration": ("post", "owner"),
    "new_queue": ("get", "owner"),
    "queue": ("get", "viewer"),
    "edit_queue": ("get", "owner"),
    "queue_state": ("post", "owner"),
    "queue_next": ("get", "reviewer"),
    "release_item": ("post", "reviewer"),
    "settle": ("get", "reviewer"),
    "import": ("get", "viewer"),
    "upload": ("post", "reviewer"),
    "batch": ("get", "viewer"),
    "redigest": ("post", "reviewer"),
    "savings": ("get", "viewer"),
    "conversation_savings": ("get", "viewer"),
    "conversation_tags": ("get", "reviewer"),
    "alerts": ("get", "viewer"),
    "incident": ("get", "viewer"),
    "change_incidents": ("post", "reviewer"),
    "silences": ("get", "viewer"),
    "end_silence": ("post", "reviewer"),
    "channels": ("get", "viewer"),
    "new_channel": ("get", "owner"),
    "channel": ("get", "owner"),
    "try_channel": ("post", "owner"),
    "replay_channel": ("post", "owner"),
    "delete_channel": ("post", "owner"),
    "notices": ("get", "viewer"),
    "open_notice": ("get", "viewer"),
    "read_notices": ("post", "viewer"),
    "choose_mail": ("post", "viewer"),
    "new_rule": ("get", "owner"),
    "try_rule": ("post", "owner"),
    "export_rules": ("get", "viewer"),
    "import_rules": ("get", "owner"),
    "rule": ("get", "viewer"),
    "rule_runs": ("get", "viewer"),
    "switch_rule": ("post", "owner"),
    "delete_rule": ("post", "owner"),
    "budgets": ("get", "viewer"),
    "new_budget": ("get", "owner"),
    "budget": ("get", "viewer"),
    "edit_budget": ("get", "owner"),
    "override_budget": ("get", "owner"),
    "end_override": ("post", "owner"),
    "delete_budget": ("post", "owner"),
    "connect": ("get", "viewer"),
    "connect_key": ("post", "owner"),
    "connect_waiting": ("get", "viewer"),
    "settings": ("get", "viewer"),
    "delete_conversation": ("get", "owner"),
    "retention": ("get", "owner"),
    "delete_retention_rule": ("post", "owner"),
    "release_hold": ("post", "owner"),
    "redaction": ("get", "owner"),
    "reveal": ("post", "owner"),
    "try_redaction": ("post", "owner"),
    "redact_stored": ("get", "owner"),
    "delete_redaction_pattern": ("post", "owner"),
    "sign_in_provider": ("get", "owner"),
    "try_sign_in_provider": ("post", "owner"),
    "remove_sign_in_provider": ("post", "owner"),
    "deletions": ("get", "owner"),
    "delete_workspace": ("get", "owner"),
    "deletion": ("get", "owner"),
    "confirm_deletion": ("post", "owner"),
    "cancel_deletion": ("post", "owner"),
    "retry_deletion": ("post", "owner"),
    "prices": ("get", "viewer"),
    "delete_price": ("post", "owner"),
    "api_keys": ("get", "viewer"),
    "revoke_api_key": ("post", "owner"),
    "rotate_api_key": ("post", "owner"),
    "members": ("get", "viewer"),
    "leave_workspace": ("get", "viewer"),
    "member_role": ("post", "owner"),
    "remove_member": ("get", "owner"),
    "revoke_invitation": ("post", "owner"),
    "workspace_settings": ("get", "owner"),
    "activity": ("get", "owner"),
    "activity_export": ("get", "owner"),
}
CHANNEL_PAGES = ("channel", "try_channel", "replay_channel", "delete_channel")
LEDGER_PAGES = ("ledger_entry", "edit_ledger_entry", "retire_ledger_entry", "reinstate_ledger_entry")
OPEN_PAGES = {"home", "sign_in", "sign_in_code", "sign_in_link", "sign_up", "sign_out", "password", "theme", "join"}
OPEN_PAGES |= {"openid_connect_login", "openid_connect_callback"}
ACCOUNT_PAGES = {"account", "end_session", "second_factor", "second_factor_off", "recovery_codes", "new_workspace"}


def workspace_patterns(patterns=None, prefix=""):
    """(name, route) of everything under w/<slug>/, and the names of everything else of the site."""
    for pattern in get_resolver("conversations.web.urls").url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from workspace_patterns(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield pattern.name, prefix + str(pattern.pattern)


CAST = {"alice": "owner", "bob": "reviewer", "victor": "viewer"}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """All rows and people, made once, where each of 200 tests took 0.4 s. What a test changes is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        acme, globex = create_workspace("acme"), create_workspace("globex")
        people = {name: sign_in_member(acme, name, role) for name, role in CAST.items()}
        people["charlie"] = sign_in_member(globex, "charlie", "owner")
        yield people, create_rows(acme)
        transaction.set_rollback(True)


@pytest.fixture
def rows(world, db):
    """The primary key that stands in each page's URL."""
    return world[1]


@pytest.fixture
def people(world, db):
    """Clients by name, each with its session as it was at first."""
    return {name: signed_in_as(client) for name, client in world[0].items()}


def signed_in_as(client):
    again = Client()
    again.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return again


def create_rows(acme):
    """A row of acme's for each page that is about one."""
    message = create_message(create_conversation(acme))
    compaction = create_compaction(message.conversation, dropped=[message])
    create_finding(compaction)
    return {
        **rows_read(message, compaction),
        **rows_reviewed(acme, compaction),
        **rows_of_people(acme),
        **rows_kept(acme),
        **rows_spent(acme),
        **rows_told(acme),
    }


def rows_read(message, compaction):
    of_conversation = (
        "conversation", "conversation_figure", "life_lines", "conversation_savings", "conversation_tags",
        "delete_conversation",
    )  # fmt: skip
    return {
        **dict.fromkeys(of_conversation, message.conversation_id),
        **dict.fromkeys(["compaction", "finding", "say", "looking"], compaction.pk),
        "message": message.pk,
        "batch": create_batch(message.workspace).pk,
        "redigest": create_batch(message.workspace, raw_deleted_at="2026-11-01T00:00Z").pk,
    }


def rows_reviewed(acme, compaction):
    queue = create_queue(acme, items=1)
    comment = create_comment(compaction)
    owner = acme.members.filter(memberships__role="owner").first()
    bar = ("verdict", "undo", "save", "mark", "unmark", "reopen", "skip", "ahead")
    return {
        **{f"review_{name}": compaction.pk for name in bar},
        **dict.fromkeys(["resolve_thread", "assign_thread"], comment.thread_id),
        "edit_comment": create_comment(compaction, author=owner).pk,
        "remove_comment": comment.pk,
        **dict.fromkeys(["queue", "edit_queue", "queue_state", "queue_next"], queue.pk),
        **dict.fromkeys(["release_item", "settle", "calibration"], queue.items.get().pk),
        **{name: create_entry(acme, name=name).pk for name in LEDGER_PAGES},
    }


def rows_of_people(acme):
    return {
        "revoke_api_key": create_api_key(acme)[0].pk,
        "rotate_api_key": create_api_key(acme)[0].pk,
        "member_role": create_member(acme).pk,
        "remove_member": create_member(acme).pk,
        "revoke_invitation": create_invitation(acme)[0].pk,
    }


def rows_kept(acme):
    deletions = ("deletion", "confirm_deletion", "cancel_deletion", "retry_deletion")
    return {
        "delete_retention_rule": RetentionRule.objects.create(workspace=acme, agent_name="coder", raw_days=1).pk,
        "delete_redaction_pattern": RedactionPattern.objects.create(workspace=acme, name="x", expression="x").pk,
        "release_hold": Hold.objects.create(workspace=acme, agent_name="coder", reason="a case").pk,
        **{name: Deletion.objects.create(workspace=acme, kind="person", state="found").pk for name in deletions},
    }


def rows_spent(acme):
    return {
        **dict.fromkeys(["budget", "edit_budget", "override_budget"], create_budget(acme).pk),
        "end_override": create_override(create_budget(acme, name="Overridden")).pk,
        "delete_budget": create_budget(acme, name="Another").pk,
        "delete_price": create_price(acme).pk,
    }


def rows_told(acme):
    return {
        "rule": create_rule(acme).pk,
        "rule_runs": create_rule(acme, name="Evaluated").pk,
        "switch_rule": create_rule(acme, name="Switched").pk,
        "delete_rule": create_rule(acme, name="Deleted").pk,
        "incident": create_incident(acme).pk,
        "end_silence": create_silence(acme).pk,
        **{name: create_channel(acme).pk for name in CHANNEL_PAGES},
    }


def address(route, slug, pk):
    parts = {"<slug:slug>": slug, "<int:pk>": str(pk), "<int:number>": "1", "<str:kind>": "csv"}
    parts |= {"<int:year>": "2026", "<int:week>": "47"}
    return "/" + "".join(parts.get(part, part) for part in re.split(r"(<[^>]+>)", route))


def test_every_page_is_in_the_table():
    inside = {name for name, route in workspace_patterns() if route.startswith("w/<slug:slug>/")}
    outside = {name for name, route in workspace_patterns() if not route.startswith("w/<slug:slug>/")}

    assert inside == set(WORKSPACE_PAGES)
    assert outside == OPEN_PAGES | ACCOUNT_PAGES


@pytest.mark.parametrize("name", WORKSPACE_PAGES)
def test_page_is_shown_to_members_and_hidden_from_outsiders(name, rows, people, client):
    method, lowest = WORKSPACE_PAGES[name]
    url = address(dict(workspace_patterns())[name], "acme", rows.get(name))

    answers = {
        "viewer": getattr(people["victor"], method)(url).status_code,
        "reviewer": getattr(people["bob"], method)(url).status_code,
        "owner": getattr(people["alice"], method)(url).status_code,
    }

    roles = ["viewer", "reviewer", "owner"]
    for role, status in answers.items():
        assert (status in {200, 302, 303}) == (roles.index(role) >= roles.index(lowest)), (role, status)
        assert status in {200, 302, 303, 403}
    assert getattr(people["charlie"], method)(url).status_code == 404
    anonymous = getattr(client, method)(url)
    assert (anonymous.status_code, anonymous.url.startswith("/sign-in/?next=")) == (302, True)


@pytest.mark.parametrize("name", [name for name, route in workspace_patterns() if "<int:pk>" in route])
def test_rows_of_another_workspace_do_not_exist(name, rows, people):
    method, _ = WORKSPACE_PAGES[name]
    url = address(dict(workspace_patterns())[name], "globex", rows[name])

    assert getattr(people["charlie"], method)(url).status_code == 404


@pytest.mark.parametrize("name", [name for name, (method, _) in WORKSPACE_PAGES.items() if method == "post"])
def test_changes_are_posts(name, rows, people):
    url = address(dict(workspace_patterns())[name], "acme", rows.get(name))

    assert people["alice"].get(url).status_code == 405
