from conversations.ops.accounts import create_sign_in_link


def test_link_signs_in_once(page, alice):
    page.goto(f"/sign-in/{create_sign_in_link(alice.user)}/")

    page.get_by_role("button", name="Sign in").click()

    page.wait_for_url("**/w/acme/")
    assert page.get_by_role("heading", level=1).is_visible()


def test_signed_in_member_sees_the_overview(page, as_member, alice):
    as_member(alice)

    response = page.goto("/w/acme/")

    assert response.status == 200
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
