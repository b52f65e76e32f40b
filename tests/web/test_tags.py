import pytest

from conversations.models import Activity, Conversation
from conversations.spending.tagging import set_tags
from tests.factories import create_conversation
from tests.spending.rows import create_budget, spend


@pytest.fixture
def conversation(acme):
    found = create_conversation(acme, external_id="c1", title="Refund")
    spend(found, input_tokens=900)
    set_tags(found, ["web"])
    return found


def page(conversation, name=""):
    return f"/w/acme/conversations/{conversation.pk}/{name}"


def test_tags_stand_on_the_page_and_in_the_list(victor, conversation):
    create_conversation(conversation.workspace, title="Another")
    assert '?tag=web">web</a>' in victor.get(page(conversation)).content.decode()

    found = victor.get("/w/acme/conversations/?tag=WEB").content.decode()
    assert "#web" in found
    assert "Refund" in found
    assert "Another" not in found


def test_a_viewer_is_not_asked_to_change_them(victor, bob, conversation):
    assert "Change tags" not in victor.get(page(conversation)).content.decode()
    assert "Change tags" in bob.get(page(conversation)).content.decode()


def test_people_put_tags_on_and_take_them_off(bob, conversation):
    assert 'value="web"' in bob.get(page(conversation, "tags/")).content.decode()

    answer = bob.post(page(conversation, "tags/"), {"tags": "Nightly,  Team  Web "})

    assert answer.status_code == 302
    row = Conversation.objects.get()
    assert (row.tags, row.tags_taken_off) == (["nightly", "team web"], ["web"])
    activity = Activity.objects.get(action="conversation.tagged")
    assert activity.detail == {"added": ["nightly", "team web"], "removed": ["web"]}


def test_saving_the_same_again_is_no_change(bob, conversation):
    bob.post(page(conversation, "tags/"), {"tags": "web"})
    assert not Activity.objects.filter(action="conversation.tagged").exists()


@pytest.mark.parametrize(
    ("tags", "words"), [("a" * 61, "is no tag"), (",".join(f"t{n}" for n in range(21)), "These are 21 tags")]
)
def test_what_is_no_tag_is_told_on_the_form(bob, conversation, tags, words):
    answer = bob.post(page(conversation, "tags/"), {"tags": tags})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Conversation.objects.get().tags == ["web"]


def test_the_budget_of_a_tag_on_its_page(alice, conversation):
    row = create_budget(conversation.workspace, name="Web team", scope="tag", tag_name="web", limit=1000)
    found = alice.get(f"/w/acme/budgets/{row.pk}/").content.decode()
    assert "all conversations tagged web together" in found
    assert "90 %" in found
    assert "Web team" in alice.get("/w/acme/budgets/").content.decode()


def test_a_budget_of_a_tag_names_it(alice, conversation):
    form = {"name": "N", "scope": "tag", "limit": "5", "metric": "requests", "period": "life", "action": "tell"}
    assert "Which tag?" in alice.post("/w/acme/budgets/new/", form).content.decode()
    assert alice.post("/w/acme/budgets/new/", form | {"tag_name": "Web"}).status_code == 302
    assert conversation.workspace.budgets.get().tag_name == "web"
