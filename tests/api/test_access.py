"""Which key may do what: one table over every endpoint; an endpoint that is not in it fails the test."""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from conversations.vocabulary import Scope
from tests.alerts.telling import create_incident, create_rule
from tests.audit.ledger_rows import create_entry
from tests.factories import create_api_key, create_batch, create_compaction, create_conversation, create_message
from tests.review.rows import create_queue

ANY = {"ingest", "read", "review", "manage"}
# name: (method, scopes of which any one opens it, whether people who are signed in may use it too)
ENDPOINTS = {
    "api_events": ("post", {"ingest"}, False),
    "api_exchanges": ("post", {"ingest"}, False),
    "api_transcripts": ("post", {"ingest"}, False),
    "otlp_traces": ("post", {"ingest"}, False),
    "otlp_logs": ("post", {"ingest"}, False),
    "otlp_metrics": ("post", {"ingest"}, False),
    "api_batches": ("get", {"ingest", "read"}, False),
    "api_batch": ("get", {"ingest", "read"}, False),
    "api_batch_redigest": ("post", {"ingest"}, False),
    "api_audit": ("post", {"ingest", "read"}, False),
    "api_conversations": ("get", {"read"}, True),
    "api_conversation": ("get", {"read"}, True),
    "api_conversation_tags": ("put", {"manage"}, False),
    "api_messages": ("get", {"read"}, True),
    "api_timeline": ("get", {"read"}, True),
    "api_compactions_of_conversation": ("get", {"read"}, True),
    "api_compactions": ("get", {"read"}, True),
    "api_compaction": ("get", {"read"}, True),
    "api_dropped": ("get", {"read"}, True),
    "api_kept": ("get", {"read"}, True),
    "api_findings": ("get", {"read"}, True),
    "api_life_lines": ("get", {"read"}, True),
    "api_message": ("get", {"read"}, True),
    "api_saved": ("get", {"read"}, True),
    "api_savings": ("get", {"read"}, True),
    "api_agents": ("get", {"read"}, True),
    "api_budget_status": ("get", ANY, True),
    "api_budget_stream": ("get", ANY, True),
    "api_incidents": ("get", {"read"}, True),
    "api_incident": ("get", {"read"}, True),
    "api_acknowledge_incident": ("post", {"manage"}, False),
    "api_resolve_incident": ("post", {"manage"}, False),
    "api_rules": ("get", {"read"}, True),
    "api_rule": ("get", {"read"}, True),
    "api_rule_runs": ("get", {"read"}, True),
    "api_rule_preview": ("post", {"read"}, False),
    "api_ledger": ("get", {"read"}, True),
    "api_ledger_entry": ("get", {"read"}, True),
    "api_retire_ledger_entry": ("post", {"review"}, False),
    "api_reinstate_ledger_entry": ("post", {"review"}, False),
    "api_ledger_entry_checks": ("get", {"read"}, True),
    "api_ledger_checks": ("get", {"read"}, True),
    "api_evaluation_set": ("get", {"read"}, True),
    "api_evaluation_card": ("get", {"read"}, True),
    "api_labels": ("post", {"review"}, False),
    "api_queues": ("get", {"read"}, True),
    "api_queue": ("get", {"read"}, True),
    "api_queue_items": ("get", {"read"}, True),
    "api_reviews": ("get", {"read"}, True),
}
#: What else the same addresses take: (name, method): scopes. Not for people who are signed in.
CHANGES = {
    ("api_ledger", "post"): {"review"},
    ("api_ledger_entry", "put"): {"review"},
    ("api_rules", "post"): {"manage"},
    ("api_rule", "put"): {"manage"},
    ("api_rule", "delete"): {"manage"},
}
#: What they look like is no secret.
OPEN = {"api_schema", "api_docs"}
_ID = re.compile(r"<int:(\w+)_id>")


def endpoints(patterns=None, prefix=""):
    """(name, route) of everything below /api/ and of OpenTelemetry's addresses."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from endpoints(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith(("api/", "v1/")):
            yield pattern.name, route


ROUTES = dict(endpoints())


@pytest.fixture
def ids(acme):
    """The id that stands in each endpoint's address, by what it is of."""
    conversation = create_conversation(acme)
    message = create_message(conversation)
    return {
        "conversation": conversation.pk,
        "message": message.pk,
        "compaction": create_compaction(conversation, dropped=[message]).pk,
        "batch": create_batch(acme).pk,
        "incident": create_incident(acme).pk,
        "queue": create_queue(acme).pk,
        "entry": create_entry(acme).pk,
        "rule": create_rule(acme).pk,
    }


def ask(client, name, ids, key="", method="", **params):
    """The status of the answer. A stream gives its place back (`close` would end the test's connection too)."""
    method = method or ENDPOINTS[name][0]
    address = "/" + _ID.sub(lambda found: str(ids[found[1]]), ROUTES[name])
    headers = {"X-API-Key": key} if key else {}
    if method == "get":
        response = client.get(address, params, headers=headers)
    else:
        send = getattr(client, method)
        response = send(address, "[]", content_type="application/json", headers=headers, query_params=params)
    for give_back in response._resource_closers:
        give_back()
    return response.status_code


def test_every_endpoint_is_in_the_table():
    assert set(ROUTES) == set(ENDPOINTS) | OPEN


def test_only_what_they_look_like_is_open(client, db):
    for name in OPEN:
        assert client.get(f"/{ROUTES[name]}").status_code == 200


@pytest.mark.parametrize("name", ENDPOINTS)
def test_key_opens_what_its_scope_is_for(name, client, acme, ids):
    _, scopes, _ = ENDPOINTS[name]
    for scope in Scope:
        _, key = create_api_key(acme, [scope])
        status = ask(client, name, ids, key)
        assert (status == 403) is (scope not in scopes), (scope, status)
        assert status not in {401, 404, 405}, (scope, status)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_no_key_and_a_wrong_one_open_nothing(name, client, ids):
    assert ask(client, name, ids) == 401
    assert ask(client, name, ids, "obs_wrong") == 401


@pytest.mark.parametrize("name", [name for name in ENDPOINTS if _ID.search(ROUTES[name])])
def test_rows_of_another_workspace_do_not_exist(name, client, globex, ids):
    _, key = create_api_key(globex, list(Scope))

    assert ask(client, name, ids, key) == 404


@pytest.mark.parametrize("name", ENDPOINTS)
def test_people_see_their_own_workspaces_only(name, alice, charlie, ids):
    _, _, of_people = ENDPOINTS[name]
    if of_people:
        assert ask(alice, name, ids) == 200
        assert ask(charlie, name, ids, workspace="acme") == 404
    else:
        assert ask(alice, name, ids) == 401


@pytest.mark.parametrize(("name", "method"), CHANGES)
def test_what_else_an_address_takes_is_for_its_scope_alone(name, method, client, alice, acme, globex, ids):
    for scope in Scope:
        status = ask(client, name, ids, create_api_key(acme, [scope])[1], method)
        assert (status == 403) is (scope not in CHANGES[name, method]), (scope, status)
        assert status not in {401, 404, 405}, (scope, status)
    assert ask(client, name, ids, method=method) == ask(client, name, ids, "obs_wrong", method) == 401
    assert ask(alice, name, ids, method=method) == 403
    if _ID.search(ROUTES[name]):
        assert ask(client, name, ids, create_api_key(globex, list(Scope))[1], method) == 404
