"""Somebody who goes by what the screen shows: roles and names of things, in their language, and no addresses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, Locator, Page

from tests.browser.words import LOCALES, Words
from tests.waiting import until

SEEN_MS_MAX: Final = 60_000


class Walker:
    """One window of a browser that asks for a language, and the part of it that is looked at."""

    def __init__(self, page: Page, words: Words, part: Locator | None = None) -> None:
        self.page = page
        self.say = words
        self.where: Page | Locator = part or page

    def within(self, part: Locator) -> "Walker":
        """The same person, who looks at this part only."""
        return Walker(self.page, self.say, part)

    def see(self, text: str, /, **values: object) -> None:
        """Wait until it stands there."""
        self.where.get_by_text(self.say(text, **values)).first.wait_for()

    def arrive(self, title: str, /) -> None:
        """Wait for the page of this title. In some languages a button that leads to it is called the same."""
        self.page.get_by_role("heading", level=1, name=self.say(title), exact=True).wait_for()

    def look_again_until(self, there: Callable[[], object]) -> None:
        """Load the page anew as long as what others have done does not show."""

        def looked() -> object:
            self.page.reload()
            return there()

        until(looked)

    def press(self, name: str, /, **values: object) -> None:
        """A button. What it begins is over when the next thing is there."""
        self._named("button", name, values).click()

    def follow(self, name: str, /, **values: object) -> None:
        """A link."""
        self._named("link", name, values).click()

    def unfold(self, name: str, /, **values: object) -> "Walker":
        """What hides behind a summary, if it is not open; then look at it only."""
        summary = self.where.locator("summary").filter(has_text=self.say(name, **values)).first
        fold = summary.locator("xpath=..")
        if fold.get_attribute("open") is None:
            summary.click()
        return self.within(fold)

    def write(self, label: str, text: str, /, **values: object) -> None:
        self._labelled(label, values).fill(text)

    def choose(self, label: str, option: str) -> None:
        """An option as it reads, in the visitor's language already."""
        self._labelled(label, {}).select_option(label=option)

    def pick(self, label: str) -> None:
        """A radio button."""
        self.where.get_by_role("radio", name=self.say(label)).check()

    def _named(self, role: str, name: str, values: dict[str, object]) -> Locator:
        return self.where.get_by_role(role, name=self.say(name, **values), exact=True).first  # type: ignore[arg-type]

    def _labelled(self, label: str, values: dict[str, object]) -> Locator:
        return self.where.get_by_label(self.say(label, **values), exact=True).first


@contextmanager
def walking(browser: Browser, language: str, *, scripts: bool = True) -> Iterator[Walker]:
    """Somebody new, without cookies, whose browser asks for this language."""
    context = browser.new_context(
        locale=LOCALES[language], java_script_enabled=scripts, viewport={"width": 1280, "height": 900}
    )
    page = context.new_page()
    page.set_default_timeout(SEEN_MS_MAX)
    yield Walker(page, Words(language))
    context.close()
