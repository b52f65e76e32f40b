"""What a person does: from sign-in to the words that were dropped, by mouse and by keys."""

import re

from playwright.sync_api import expect

from conversations.ops.accounts import create_sign_in_link
from tests.e2e.browsing import drawn, filled, go, page  # noqa: F401 -- fixtures


def test_from_the_sign_in_link_to_the_dropped_words(context, alice, filled):  # noqa: F811
    page = context.new_page()  # noqa: F811

    page.goto(f"/sign-in/{create_sign_in_link(alice.user)}/")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Conversations", exact=True).click()
    page.get_by_role("link", name="Migrate billing").click()
    drawn(page)
    page.get_by_role("link", name="Compaction 1", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compaction 1 of 2")
    expect(page.locator(".summary-column")).to_contain_text("the port is 8443")
    page.get_by_label("Find in the summary and the dropped messages").last.fill("8443")
    expect(page.locator("#sides")).to_contain_text("1 of 14 dropped messages, and 1 place in the summary")
    page.locator(".message").get_by_role("link", name="in the conversation").click()
    expect(page.locator(".message.current")).to_contain_text("8443")


def test_a_marker_of_the_timeline_leads_to_its_compaction(page, filled):  # noqa: F811
    go(page, f"conversations/{filled['conversation']}/")

    page.locator(".figure .points path").last.click(force=True)

    expect(page).to_have_url(re.compile(f"/compactions/{filled['compaction']}/"))


def test_keys_do_what_clicks_do(page, filled):  # noqa: F811
    go(page, f"compactions/{filled['compaction']}/")

    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Compaction 2 of 2")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text("Compaction 1 of 2")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("j")  # not while a dialog is open
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compaction 1 of 2")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_have_text("Conversations")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/conversations/\d+/"))


def test_keys_are_letters_while_typing(page, filled):  # noqa: F811
    go(page, f"compactions/{filled['compaction']}/")

    page.keyboard.press("/")
    page.keyboard.type("jk?")

    expect(page.locator("[name=q]:focus")).to_have_value("jk?")
    expect(page.get_by_role("heading", level=1)).to_have_text("Compaction 1 of 2")


def test_keys_can_be_switched_off(page, filled):  # noqa: F811
    go(page, f"compactions/{filled['compaction']}/")
    page.keyboard.press("?")
    page.get_by_label("Switch single keys off in this browser").check()
    page.keyboard.press("Escape")

    page.keyboard.press("j")

    expect(page.get_by_role("heading", level=1)).to_have_text("Compaction 1 of 2")


def test_n_and_p_walk_the_places_found(page, filled):  # noqa: F811
    go(page, f"compactions/{filled['compaction']}/?q=port")

    page.keyboard.press("n")
    page.keyboard.press("n")
    second = page.locator("mark.current").inner_text()
    page.keyboard.press("p")

    assert second == "port"
    expect(page.locator("mark.find").first).to_have_class(re.compile("current"))


def test_what_was_put_back_is_read_when_it_is_opened(page, filled):  # noqa: F811
    go(page, f"compactions/{filled['compaction']}/")
    expect(page.locator("#restored .message")).to_have_count(0)

    page.locator("#restored summary").click()

    expect(page.locator("#restored .message")).to_contain_text(["Put back"])
    expect(page).to_have_url(re.compile("beside=restored"))


def test_back_restores_the_filter_and_the_whole_page(page, filled):  # noqa: F811
    go(page, "conversations/")

    page.get_by_label("Agent", exact=True).select_option("coder")
    expect(page.locator("td.title a")).to_have_text(["Migrate billing"])
    expect(page).to_have_url(re.compile("agent=coder"))
    page.get_by_label("Agent", exact=True).select_option("support")
    expect(page.locator("td.title a")).to_have_text(["Refund order"])
    page.go_back()

    expect(page.locator("td.title a")).to_have_text(["Migrate billing"])
    expect(page.get_by_label("Agent", exact=True)).to_have_value("coder")
    expect(page.get_by_role("banner")).to_be_visible()


def test_theme_is_changed_at_once_and_stays(page, filled):  # noqa: F811
    go(page, "")

    page.get_by_label("Account and theme").click()
    page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_an_error_is_said_on_the_page_and_can_be_tried_again(page, filled):  # noqa: F811
    go(page, "conversations/")
    page.route("**/conversations/?*", lambda route: route.abort())
    page.get_by_label("Agent", exact=True).select_option("coder")
    expect(page.locator("#errors")).to_contain_text("The server did not answer.")
    page.unroute("**/conversations/?*")

    page.get_by_role("button", name="Try again").click()

    expect(page.locator("td.title a")).to_have_text(["Migrate billing"])
    expect(page.locator("#errors")).to_be_hidden()
    assert [said for said in page.complaints if "ERR_FAILED" not in said and "Failed to fetch" not in said] == []
    page.complaints.clear()


def test_n_chooses_facts_and_marks_them_in_both_texts(page, filled):  # noqa: F811
    go(page, f"compactions/{filled['compaction']}/")

    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(r"fact=1"))
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(r"fact=2"))

    expect(page.locator("#fact-2")).to_have_class(re.compile("chosen"))
    expect(page.locator(".summary-column mark.kept.chosen")).to_be_in_viewport()
    expect(page.locator(".dropped-column mark.kept.chosen")).to_be_in_viewport()
    page.keyboard.press("p")
    expect(page.locator("#fact-1")).to_have_class(re.compile("chosen"))


def test_back_leaves_the_compaction_however_many_facts_were_chosen(page, filled):  # noqa: F811
    go(page, "compactions/")
    page.get_by_role("link", name="Compaction 1", exact=True).click()
    page.locator("#fact-1 a.fact-line").click()
    expect(page).to_have_url(re.compile("fact=1"))
    page.locator("#fact-2 a.fact-line").click()
    expect(page).to_have_url(re.compile("fact=2"))

    page.go_back()

    expect(page.get_by_role("heading", level=1)).to_have_text("Compactions")
    page.go_forward()
    expect(page.locator("#fact-2")).to_have_class(re.compile("chosen"))
