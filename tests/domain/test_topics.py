"""The registry of topics."""

import re

import msgspec
import pytest

from domain.accounts import AccountOpened
from domain.event import TopicRegistry, UnknownTopic
from domain.topics import ALL_EVENTS, REGISTRY


def test_every_topic_is_context_dot_fact_dot_version() -> None:
    """Lower case, hyphens, explicit version."""
    for topic in REGISTRY.topics():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\.v[1-9]\d*", topic), topic
    assert len(REGISTRY.topics()) == len(ALL_EVENTS)


def test_a_topic_belongs_to_one_type() -> None:
    """Two types under one topic would make the log unreadable."""
    with pytest.raises(ValueError, match=r"account\.opened\.v1"):
        TopicRegistry(AccountOpened, AccountOpened)


def test_an_unknown_topic_is_never_skipped() -> None:
    """The log is newer than this code."""
    with pytest.raises(UnknownTopic):
        REGISTRY.decode("account.merged.v9", b"{}")


def test_damaged_bytes_are_refused() -> None:
    """A field that is missing or has another type is damage."""
    with pytest.raises(msgspec.ValidationError):
        REGISTRY.decode("account.opened.v1", b'{"account_id":7}')
