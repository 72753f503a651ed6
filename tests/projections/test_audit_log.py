"""The read model `audit_log`: who did what, and what it changed."""

import csv
import io
from uuid import UUID

import msgspec
import pytest

from application.reports.audit_log import Act, ActFilter, ActPage, acts_csv
from domain.accounts import (
    AccountClosed,
    AccountLimitsSet,
    AccountOpened,
    AccountReinstated,
    AccountSuspended,
)
from domain.catalogue.alias import AliasPointed, AliasRemoved
from domain.catalogue.prices import PriceListPublished
from domain.event import Event
from domain.fact import Fact
from domain.ids import stream_of
from domain.keys.events import ApiKeyIssued, ApiKeyRevoked
from domain.limits import NO_LIMITS, Limits
from domain.pricing import Price
from domain.topics import ALL_EVENTS
from projections.audit_log import ACTS, NO_ACTS, AuditReader
from tests.histories import numbered
from tests.projections.facts import ACCOUNT, KEY, WALLET, granted
from tests.projections.lab import Lab

ADA = "operator:00000000-0000-0000-0000-0000000000ad"
BY_ADA = {"occurred_us": 7, "actor": ADA}
SIXTY = Limits(rpm=60)


@pytest.fixture
def reader(whole: Lab) -> AuditReader:
    return AuditReader(whole.pool)


def _happen(lab: Lab, *events: Event, stream_id: UUID = ACCOUNT) -> None:
    lab.log.extend(numbered(stream_id, 1, events))
    lab.catch_up()


def _price(price: int) -> Price:
    return Price(
        input_nano_per_million=price,
        cached_input_nano_per_million=0,
        cache_write_nano_per_million=0,
        output_nano_per_million=0,
        request_nano_per_million=0,
    )


def test_every_fact_with_an_actor_is_an_act_or_named_as_none() -> None:
    """A new one is in the log at once; whoever leaves one out says so."""
    assert {kind for kind in ALL_EVENTS if issubclass(kind, Fact)} - {*ACTS} == NO_ACTS


@pytest.mark.parametrize("batch", [1, 100])
def test_an_act_shows_what_it_changed_and_why(whole: Lab, reader: AuditReader, batch: int) -> None:
    """Each field before and after, whichever facts of the account set them, in one batch or in many."""
    happened = [
        AccountOpened(account_id=ACCOUNT, occurred_us=1, actor="system"),
        AccountLimitsSet(account_id=ACCOUNT, limits=SIXTY, occurred_us=2, actor=ADA),
        AccountSuspended(account_id=ACCOUNT, reason="disputed", occurred_us=3, actor=ADA),
        AccountReinstated(account_id=ACCOUNT, occurred_us=4, actor=ADA),
        AccountLimitsSet(account_id=ACCOUNT, limits=NO_LIMITS, occurred_us=5, actor=ADA),
    ]
    whole.log.extend(numbered(ACCOUNT, 1, happened))
    whole.catch_up(batch_events=batch)
    sixty, none = msgspec.to_builtins(SIXTY), msgspec.to_builtins(NO_LIMITS)
    shown = [
        (act.actor, act.before, act.after, act.reason) for act in reversed(reader.acts(ActFilter()).items)
    ]
    assert shown == [
        ("system", {}, {"status": "open"}, None),
        (ADA, {}, {"limits": sixty}, None),
        (ADA, {"status": "open"}, {"status": "suspended"}, "disputed"),
        (ADA, {"status": "suspended"}, {"status": "open"}, None),
        (ADA, {"limits": sixty}, {"limits": none}, None),
    ]


def test_a_grant_is_an_act_on_its_account(whole: Lab, reader: AuditReader) -> None:
    """With the amount, and what it was for; each lot is new."""
    _happen(whole, granted(5), granted(6, lot=2), stream_id=WALLET)
    second, first = reader.acts(ActFilter(subject_kind="account", subject=str(ACCOUNT))).items
    assert (first.after["amount_nano"], first.reason, first.actor) == (5, "test", "system")
    assert (second.before, second.after["amount_nano"]) == ({}, 6)


def test_prices_show_the_aliases_that_changed(whole: Lab, reader: AuditReader) -> None:
    """One publication, the price before and after of each alias in it."""
    old, new = (
        PriceListPublished(
            entries={"fast": _price(price)},
            markup_ppm=1,
            effective_from_us=1,
            approved_by="x",
            note="dearer",
            **BY_ADA,
        )
        for price in (1, 2)
    )
    _happen(whole, old, new)
    act = reader.acts(ActFilter()).items[0]
    assert (act.subject_kind, act.reason) == ("prices", "dearer")
    assert act.before["fast"]["input_nano_per_million"] == 1
    assert act.after["fast"]["input_nano_per_million"] == 2


def test_an_alias_is_shown_by_its_name(whole: Lab, reader: AuditReader) -> None:
    """What has no id goes by what clients write."""
    _happen(
        whole,
        AliasPointed(alias="fast", target="small", **BY_ADA),
        AliasRemoved(alias="fast", **BY_ADA),
        stream_id=stream_of(KEY, "alias"),
    )
    removed, pointed = reader.acts(ActFilter(subject_kind="alias", subject="fast")).items
    assert pointed.after == {"target": "small"}
    assert (removed.before, removed.after) == ({"target": "small"}, {"target": None})


def test_no_secret_leaves_a_trace(whole: Lab, reader: AuditReader) -> None:
    """Not even the hash of one; the prefix is what people know a key by."""
    issued = ApiKeyIssued(
        key_id=KEY,
        account_id=ACCOUNT,
        prefix="tk_live_ab",
        secret_hash="c0ffee" * 10,
        limits=NO_LIMITS,
        **BY_ADA,
    )
    _happen(whole, issued, ApiKeyRevoked(key_id=KEY, reason="leaked", **BY_ADA), stream_id=KEY)
    page = reader.acts(ActFilter())
    assert b"c0ffee" not in msgspec.json.encode(page)
    with whole.pool.connection() as connection:
        assert not connection.execute("SELECT FROM audit_subjects WHERE state LIKE '%c0ffee%'").fetchall()
    assert page.items[1].after["prefix"] == "tk_live_ab"
    assert page.items[0].before == {"status": "active"}


def test_filters_and_pages(whole: Lab, reader: AuditReader) -> None:
    """Actor, topic and time narrow the list; pages give every act once."""
    closed = AccountClosed(account_id=ACCOUNT, reason="left", occurred_us=9, actor=ADA)
    opened = AccountOpened(account_id=ACCOUNT, occurred_us=1, actor="system")
    _happen(whole, opened, closed)
    assert [act.topic for act in reader.acts(ActFilter(actor=ADA)).items] == [AccountClosed.TOPIC]
    assert [act.topic for act in reader.acts(ActFilter(topic=AccountOpened.TOPIC)).items] == [
        AccountOpened.TOPIC
    ]
    assert [act.occurred_us for act in reader.acts(ActFilter(from_us=1, until_us=9)).items] == [1]
    first = reader.acts(ActFilter(), limit=1)
    second = reader.acts(ActFilter(), before_position=first.next_before, limit=1)
    assert [act.topic for act in (*first.items, *second.items)] == [AccountClosed.TOPIC, AccountOpened.TOPIC]
    assert second.next_before is None


def test_csv_holds_no_formula() -> None:
    """What a spreadsheet would compute is shown as text; quotes and commas survive."""
    act = Act(
        position=1,
        occurred_us=2,
        actor=ADA,
        topic="account.closed.v1",
        subject_kind="account",
        subject="=1+1",
        before={},
        after={"status": "closed"},
        reason='@SUM("a", b)',
    )
    head, row = csv.reader(io.StringIO(acts_csv(ActPage(items=(act,), next_before=None))))
    found = dict(zip(head, row, strict=True))
    assert (found["subject"], found["reason"]) == ("'=1+1", '\'@SUM("a", b)')
    assert found["after"] == '{"status":"closed"}'
