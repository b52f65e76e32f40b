"""What a person does with files on the import page: choose them, or drop them."""

import json

import pytest
from playwright.sync_api import expect

from conversations import tasks
from tests.e2e.browsing import go, page  # noqa: F401 -- fixtures
from tests.ingest.formats.lines import boundary, summary, user

DROPPED = """(files) => {
  const data = new DataTransfer();
  files.forEach(([name, text]) => data.items.add(new File([text], name)));
  return data;
}"""


@pytest.fixture(autouse=True)
def audited(monkeypatch):
    """Only what the import shows is looked at here."""
    ids = []
    monkeypatch.setattr(tasks.audit_conversation, "delay", ids.append)
    return ids


def transcript(session):
    records = [user("u1", "The port is 8443."), boundary("b1"), summary("s1"), user("u2", "Go on.")]
    return "".join(json.dumps({**record, "sessionId": session}) + "\n" for record in records)


def test_dropped_files_are_imported_one_after_another_and_lead_to_their_conversations(page):  # noqa: F811
    go(page, "import/")
    files = [["one.jsonl", transcript("one")], ["two.jsonl", transcript("two")], ["notes.txt", "Buy milk."]]

    dropped = page.evaluate_handle(DROPPED, files)
    page.dispatch_event(".drop", "dragover", {"dataTransfer": dropped})
    expect(page.locator(".drop")).to_have_class("drop over")
    page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})

    uploads = page.locator("#uploads")
    expect(uploads.get_by_text("This is no transcript that is read here")).to_be_visible()
    expect(uploads.locator(".upload progress")).to_have_count(0)
    expect(uploads).to_contain_text("one.jsonl")
    expect(uploads).to_contain_text("two.jsonl")
    uploads.get_by_role("link", name="The port is 8443.").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The port is 8443.")
    expect(page.get_by_role("link", name="Compaction 1", exact=True).first).to_be_visible()
