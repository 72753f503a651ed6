"""The page about events."""

from pathlib import Path

from domain.topics import REGISTRY
from tools.gen_events_doc import document

PAGE = Path(__file__).parent.parent.parent / "docs" / "events.md"


def test_the_page_about_events_is_current() -> None:
    """Run `python -m tools.gen_events_doc > docs/events.md` when this fails."""
    assert PAGE.read_text(encoding="utf-8") == document()


def test_the_page_names_every_topic_once() -> None:
    """With what it means."""
    page = document()
    for topic, event_type in REGISTRY.topics().items():
        assert page.count(f"### {topic}\n") == 1
        assert event_type.__doc__
        assert event_type.__doc__.splitlines()[0] in page
