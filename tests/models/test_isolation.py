"""A request of acme sees rows of acme only, whatever its queries forget; every table has its policy."""

import gc
import json
import threading

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, connections, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import include, path

from conversations.models import Agent, Batch, Conversation, Membership, Workspace, isolation
from conversations.models.row_security import protect, protected_tables
from conversations.web.pages import member_required
from observatory.isolation import WorkspaceMiddleware
from tests.factories import chunks_of, create_agent, create_api_key, create_conversation

#: Tables of this app that belong to no workspace, and why.
SHARED = {
    "conversations_user": "a person may be a member of several workspaces",
    "conversations_signinlink": "before anybody is signed in, there is no workspace",
    "conversations_signinfailures": "as above",
    "conversations_session": "a person is signed in to all of their workspaces at once",
    "conversations_secondfactor": "as above",
}


@member_required
def forgetful(request):
    """A page whose author forgot the filter."""
    if "raise" in request.GET:
        raise ValueError("broken")
    if "stream" in request.GET:
        return StreamingHttpResponse(f"{name} " for name in Agent.objects.values_list("name", flat=True).iterator())
    if "write" in request.GET:
        Agent.objects.create(workspace=Workspace.objects.get(), name="new")
    if "steal" in request.GET:
        with transaction.atomic():
            Agent.objects.create(workspace_id=int(request.GET["steal"]), name="stolen")
    names = list(Agent.objects.order_by("name").values_list("name", flat=True))
    return HttpResponse(" ".join([*names, *Workspace.objects.values_list("slug", flat=True)]))


urlpatterns = [path("w/<slug:slug>/forgetful", forgetful), path("", include("observatory.urls"))]


@pytest.fixture
def two(acme, globex, settings):
    settings.ROOT_URLCONF = __name__
    create_agent(acme, "ours")
    create_agent(globex, "theirs")
    return acme, globex


def seen():
    return sorted(Agent.objects.values_list("name", flat=True))


def role_and_workspace():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('observatory.workspace', true)")
        return cursor.fetchone()


# --- every table ----------------------------------------------------------------------------------------------------


def test_every_table_of_a_workspace_has_its_policy(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relrowsecurity")
        protected = {name for [name] in cursor.fetchall()}
    models = apps.get_app_config("conversations").get_models(include_auto_created=True)
    tables = {model._meta.db_table for model in models}

    assert protected == {table for table, _ in protected_tables()}
    assert tables - protected == set(SHARED) & tables, "give the model a `workspace`, or say in SHARED why it has none"


def test_protecting_again_changes_nothing(db, django_assert_num_queries):
    config = apps.get_app_config("conversations")

    with django_assert_num_queries(4) as queries:
        protect(sender=config)

    assert all(query["sql"].strip().startswith("SELECT") for query in queries.captured_queries)


def test_a_table_without_a_policy_gets_it_back(acme, globex):
    with connection.cursor() as cursor:
        cursor.execute("DROP POLICY workspace_only ON conversations_agent")
        cursor.execute("REVOKE INSERT ON conversations_agent FROM observatory_member")

    protect(sender=apps.get_app_config("conversations"))

    create_agent(globex, "theirs")
    with isolation.within(acme.pk):
        create_agent(acme, "ours")
        assert seen() == ["ours"]


# --- pages ----------------------------------------------------------------------------------------------------------


def test_page_that_forgot_its_filter_sees_its_own_workspace_only(two, alice, charlie):
    assert alice.get("/w/acme/forgetful").content == b"ours acme"
    assert charlie.get("/w/globex/forgetful").content == b"theirs globex"
    assert seen() == ["ours", "theirs"]


def test_page_can_write_into_its_own_workspace_only(two, alice):
    assert alice.get("/w/acme/forgetful?write=1").content == b"new ours acme"
    with pytest.raises(DatabaseError, match="row-level security"):
        alice.get(f"/w/acme/forgetful?steal={two[1].pk}")
    assert isolation.entered() is None
    assert seen() == ["new", "ours", "theirs"]


def test_a_page_that_breaks_leaves_its_workspace(two, alice):
    with pytest.raises(ValueError, match="broken"):
        alice.get("/w/acme/forgetful?raise=1")

    assert seen() == ["ours", "theirs"]


def test_what_is_streamed_is_made_within_the_workspace(two, alice):
    response = alice.get("/w/acme/forgetful?stream=1")
    between = seen()

    assert response.getvalue() == b"ours "
    assert between == seen() == ["ours", "theirs"]


def stream(workspace, pieces, content_type):
    """Of a view within the workspace."""

    def view(_request):
        isolation.enter(workspace.pk)
        return StreamingHttpResponse(pieces, content_type=content_type)

    return WorkspaceMiddleware(view)(RequestFactory().get("/"))


def test_a_stream_is_outside_of_its_workspace_between_two_events(two):
    entered = []

    def events():
        for event in (b"1", b"", b"2"):
            entered.append(isolation.entered())
            yield event

    response = iter(stream(two[0], events(), "text/event-stream"))

    assert (next(response), isolation.entered()) == (b"1", None)
    assert ([*response], isolation.entered()) == ([b"2"], None)
    assert entered == [two[0].pk] * 3


def test_a_stream_that_nobody_reads_to_its_end_asks_the_database_nothing(two):
    """The garbage collector may come upon it in the midst of a statement."""
    response = iter(stream(two[0], iter([b"1", b"2"]), "text/event-stream"))
    next(response)

    with connection.connection.lock:  # as while a statement runs; to wait for it would be for ever
        del response
        gc.collect()

    assert isolation.entered() is None


def test_what_is_exported_comes_in_large_pieces(two):
    response = stream(two[0], iter([b"x" * 40_000] * 5), "application/x-ndjson")

    assert [len(piece) for piece in response] == [80_000, 80_000, 40_000]


def test_people_without_a_workspace_enter_none(two, alice, client):
    assert client.get("/w/acme/forgetful").status_code == 302
    assert alice.get("/w/globex/forgetful").status_code == 404
    assert isolation.entered() is None


# --- the API --------------------------------------------------------------------------------------------------------


def test_answers_to_keys_and_to_people_are_restricted(acme, globex, alice, client, monkeypatch):
    create_agent(acme, "ours")
    create_agent(globex, "theirs")
    monkeypatch.setattr("conversations.api.conversations.AgentListView.rows", lambda _view: Agent.objects.all())
    _, key = create_api_key(acme)

    for answer in (client.get("/api/v1/agents", headers={"X-API-Key": key}), alice.get("/api/v1/agents")):
        assert [row["name"] for row in answer.json()["results"]] == ["ours"]
    assert isolation.entered() is None


def test_refused_keys_enter_nothing(acme, client):
    _, key = create_api_key(acme, scopes=["ingest"])

    assert client.get("/api/v1/agents", headers={"X-API-Key": key}).status_code == 403
    assert isolation.entered() is None


# --- connections, threads, jobs -------------------------------------------------------------------------------------


def test_what_was_entered_is_left_as_it_was_before(acme, globex):
    with isolation.within(acme.pk):
        with isolation.within(globex.pk):
            assert role_and_workspace() == ("observatory_member", str(globex.pk))
        assert role_and_workspace() == ("observatory_member", str(acme.pk))
        with isolation.unrestricted():
            assert role_and_workspace()[0] != "observatory_member"
            assert Workspace.objects.count() == 2
        assert Workspace.objects.get() == acme
    assert Workspace.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_comes_back_restricted():
    acme = Workspace.objects.create(slug="acme", name="Acme")
    Workspace.objects.create(slug="globex", name="Globex")
    with isolation.within(acme.pk):
        connection.close()
        assert Workspace.objects.get() == acme
    assert Workspace.objects.count() == 2
    with isolation.within(acme.pk):
        with isolation.unrestricted(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        end_connection(pid)  # leaving cannot be told to it
    assert Workspace.objects.count() == 2


def end_connection(pid):
    def end():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        connections.close_all()

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_fails_takes_no_other_role_along():
    acme = Workspace.objects.create(slug="acme", name="Acme")
    Workspace.objects.create(slug="globex", name="Globex")
    with isolation.within(acme.pk):
        with pytest.raises(DatabaseError, match="division"), transaction.atomic(), isolation.unrestricted():
            connection.cursor().execute("SELECT 1/0")
        assert Workspace.objects.get() == acme
    with pytest.raises(DatabaseError, match="division"), transaction.atomic(), isolation.within(acme.pk):
        connection.cursor().execute("SELECT 1/0")
    assert Workspace.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_share_what_they_entered():
    acme = Workspace.objects.create(slug="acme", name="Acme")
    Workspace.objects.create(slug="globex", name="Globex")
    counts = []

    def look():
        counts.append(Workspace.objects.count())
        connections.close_all()

    with isolation.within(acme.pk):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        counts.append(Workspace.objects.count())

    assert counts == [2, 1]


def test_a_role_that_entered_nothing_sees_nothing(acme):
    with isolation.within(acme.pk):
        with connection.cursor() as cursor:
            cursor.execute("RESET observatory.workspace")
        with pytest.raises(DatabaseError), transaction.atomic():
            list(Workspace.objects.all())


def test_bytes_are_stored_and_digested_while_a_request_waits(acme, globex, client):
    _, key = create_api_key(acme)
    create_conversation(globex)
    event = {"type": "message", "id": "m1", "conversation": "c", "role": "user", "content": "Hello"}

    answer = client.post(
        "/api/v1/events?wait=1", {"events": [event]}, content_type="application/json", headers={"X-API-Key": key}
    )

    assert answer.json()["batch"]["state"] == "digested"
    assert Conversation.objects.filter(workspace=acme).count() == 1


def test_files_of_a_page_are_stored_by_copy(alice, tmp_path):
    line = {"type": "user", "uuid": "u1", "sessionId": "s", "timestamp": "2026-11-20T09:00:00Z"}
    file = tmp_path / "session.jsonl"
    file.write_text(json.dumps(line | {"message": {"role": "user", "content": "Hi"}}) + "\n")

    with file.open("rb") as body:
        alice.post("/w/acme/import/upload/", {"files": body})

    assert chunks_of(Batch.objects.get()).exists()


# --- where it cannot be ---------------------------------------------------------------------------------------------


def test_without_the_role_pages_work_by_their_filters_alone(two, alice, monkeypatch):
    monkeypatch.setattr(isolation, "_in_force", False)

    assert alice.get("/w/acme/forgetful").content == b"ours theirs acme globex"


def test_a_server_that_lets_us_make_no_role_is_told_of(acme, monkeypatch, caplog):
    monkeypatch.setattr(isolation, "ROLE", "nobody_made_this")
    monkeypatch.setattr("conversations.models.row_security._CREATE_ROLE", "SELECT 1/0")
    monkeypatch.setattr(isolation, "_in_force", None)

    protect(sender=apps.get_app_config("conversations"))

    assert "row security is not in force" in caplog.text
    assert not isolation.in_force()


def test_switched_off_it_is_not_asked_for(acme, settings, monkeypatch):
    settings.ROW_SECURITY = False
    monkeypatch.setattr(isolation, "_in_force", None)

    with isolation.within(acme.pk):
        assert isolation.entered() is None


def test_memberships_of_others_are_hidden_too(two, alice, charlie):
    with isolation.within(two[0].pk):
        assert Membership.objects.get().user == alice.user
