"""manage.py audit --llm and --stale."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from conversations.audit import services
from conversations.audit.services import audit_conversation
from conversations.models import CompactionAudit
from tests.audit.test_llm_stored import answers
from tests.audit.test_services import conversation_with_losses
from tests.management.test_audit_command import CLAUDE
from tests.standin.messages_api import MessagesApi, fails


def run(*arguments):
    out, err = StringIO(), StringIO()
    call_command("audit", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def api(settings):
    with MessagesApi() as running:
        settings.LLM_API_KEY, settings.LLM_BASE_URL = running.api_key, running.url
        running.otherwise = answers
        yield running


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Name a transcript, or use --stale"),
        ((CLAUDE, "--stale"), "not both"),
        ((CLAUDE, "--workspace", "acme"), "--workspace goes with --stale"),
        ((CLAUDE, "--llm"), "Set ANTHROPIC_API_KEY"),
    ],
)
def test_what_does_not_go_together_is_told(arguments, message):
    with pytest.raises(CommandError, match=message) as failed:
        run(*arguments)

    assert failed.value.returncode == 2


def test_llm_tells_state_and_cost_beside_the_report(api):
    out, err = run(CLAUDE, "--llm")

    assert out.startswith(f"{CLAUDE}: 2 compactions")
    assert "Compaction 1: done, " in err
    assert "calls to claude-haiku-4-5, $0.0" in err
    assert len(api.requests) >= 6


def test_llm_that_cannot_be_asked_leaves_what_the_rules_say(api):
    api.otherwise = fails(401, "authentication_error", "invalid API key")

    out, err = run(CLAUDE, "--llm")

    assert out == run(CLAUDE)[0]
    assert "Compaction 1: failed, 1 calls" in err
    assert "invalid API key" in err


def test_stale_audits_what_an_older_auditor_has_looked_at(acme, globex):
    for workspace in (acme, acme, globex):
        audit_conversation(conversation_with_losses(workspace))
    CompactionAudit.objects.update(version="older")

    out, err = run("--stale", "--workspace", "acme")

    assert out == "2 compactions of 2 conversations audited.\n"
    assert err.splitlines()[-1] == "2 of 2 conversations, 2 compactions"
    assert list(CompactionAudit.objects.filter(version="older").values_list("workspace__slug")) == [("globex",)]
    assert run("--stale")[0] == "1 compactions of 1 conversations audited.\n"
    assert run("--stale")[0] == "0 compactions of 0 conversations audited.\n"


def test_stale_can_be_interrupted_and_goes_on(acme, monkeypatch):
    for _ in range(3):
        conversation_with_losses(acme)
    done = []

    def interrupted(conversation):
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(conversation)
        return audit_conversation(conversation)

    with monkeypatch.context() as patch:
        patch.setattr(services, "audit_conversation", interrupted)
        with pytest.raises(CommandError, match="Stopped after 1 compactions") as stopped:
            run("--stale")

    assert stopped.value.returncode == 130
    assert run("--stale")[0] == "2 compactions of 2 conversations audited.\n"


def test_stale_of_an_unknown_workspace_is_told(acme):
    with pytest.raises(CommandError, match="There is no workspace umbrella"):
        run("--stale", "--workspace", "umbrella")
