"""A passkey in Chromium's own authenticator: made on a person's page, and then the way in without a password."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.installation import two_ports, up

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_in_by_a_passkey_that_the_page_has_made(browser: Browser, tmp_path: Path) -> None:
    """As people do it, with what the page says; after signing out the device alone opens the console."""
    port, console_port = two_ports()
    url = f"http://localhost:{console_port}"
    options = ("--port", str(port), "--console-port", str(console_port))
    with up(tmp_path, *options, CONSOLE_URL=url) as ready, browser.new_context() as context:
        page = context.new_page()
        with_authenticator(page)
        page.goto(f"{url}/sign-in")
        page.get_by_label("E-mail address").fill(ready["operator_email"])
        page.get_by_label("Password").fill(ready["operator_password"])
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.goto(f"{url}/me")
        page.get_by_label("Name of the device").fill("This laptop")
        page.locator("#passkey-password").fill(ready["operator_password"])
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_role("button", name="Go on").click()
        page.get_by_text("The passkey is added.").wait_for()
        assert page.get_by_role("cell", name="This laptop", exact=True).is_visible()
        context.clear_cookies()
        page.goto(f"{url}/sign-in?target=/console/keys")
        page.get_by_role("link", name="Sign in with a passkey").click()
        assert not page.get_by_text("Passkeys need a script").is_visible()
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url(f"{url}/console/keys")


def with_authenticator(page: Page) -> None:
    """One that verifies its holder without asking anybody."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
