"""Operators' pages about money: what their forms do with real use cases, and that two people are needed where two are."""

import csv
import io
import re
from functools import partial
from html import unescape
from typing import Final
from uuid import UUID

import msgspec
import psycopg

from api.console.files import ROWS_MAX
from application.recharge.list_offers import list_offers
from application.recharge.show_order import show_order
from application.reports.period import SLOT_US
from domain.event import Event
from domain.health.breaker import BreakerClosed, BreakerHalfOpened, BreakerOpened, breaker_stream
from tests.api.console.conftest import ACCOUNT, MASTER_KEY, World
from tests.api.console.forms import do, sign_in
from tests.api.console.recharging import OFFER, place, transfer
from tests.histories import numbered, sample


def test_an_offer_is_written_as_people_count_money(world: World) -> None:
    """In units of the currency and in percent; what stands in the log are minor units and millionths."""
    token = sign_in(world, "finance")
    assert do(world, "offers/set", token, **OFFER) == ""
    (offer,) = list_offers(world.process.store)
    assert (offer.rate_num, offer.rate_den) == (1_000_000_000, 100)
    assert (offer.packages[0].amount_minor, offer.packages[0].bonus_nano) == (10_000, 5_000_000_000)
    assert offer.free is not None
    assert (offer.free.min_minor, offer.free.max_minor, offer.approval_minor) == (500, 100_000, 5_000)
    assert (offer.bonus[0].from_minor, offer.bonus[0].bonus_ppm) == (20_000, 25_000)
    assert (offer.taxes[0].country, offer.taxes[0].rate_ppm) == ("DE", 190_000)
    page = world.get("/console/offers?edit=EUR").text
    assert "BANK_TRANSFER_TO names no account" in page
    for name, value in OFFER.items():
        if name not in {"currency", "most", "tax_country.0"}:
            shown = re.search(rf'name="{re.escape(name)}"[^>]* value="([^"]*)"', page)
            assert shown is not None, name
            assert float(shown[1]) == float(value), name


def test_an_offer_that_cannot_be_meant_is_refused(world: World) -> None:
    """With the reader's words and the field's, and nothing is on sale then."""
    token = sign_in(world, "finance")
    wrong = {
        "most": ("10.001", "Free amounts up to"),
        "least": ("much", "Free amounts from"),
        "currency": ("XXX", ""),
        "tier_percent.0": ("1e99", "Bonus"),
        "credits_per_unit": ("x", "Credits for one unit"),
        "package_bonus.0": ("x", "Packages"),
        "tax_percent.0": ("x", "Taxes"),
    }
    for field, (value, word) in wrong.items():
        said = do(world, "offers/set", token, **(OFFER | {field: value}))
        assert said, field
        assert word in said, field
    assert list_offers(world.process.store) == ()


def test_a_large_transfer_is_credited_by_two_people(world: World) -> None:
    """Whoever confirmed it is not offered to approve it, and is refused if they try."""
    token = sign_in(world, "finance")
    do(world, "offers/set", token, **OFFER)
    order_id = place(world, token, "100")
    assert do(world, "orders/settle", token, **transfer(order_id, "100.00")) == ""
    page = world.get(f"/console/orders/{order_id}").text
    assert "A transfer waits for a second operator" in page
    assert "/console/do/orders/approve" not in page
    assert do(world, "orders/approve", token, order_id=str(order_id))
    token = sign_in(world, "admin")
    assert "/console/do/orders/approve" in world.get(f"/console/orders/{order_id}").text
    assert do(world, "orders/approve", token, order_id=str(order_id)) == ""
    assert show_order(world.process.store, order_id).status == "credited"
    assert "Credited" in world.get(f"/console/orders/{order_id}").text


def test_a_small_transfer_is_credited_at_once_and_another_amount_never(world: World) -> None:
    """What the bank says must be what the order says."""
    token = sign_in(world, "finance")
    do(world, "offers/set", token, **OFFER)
    order_id = place(world, token, "20")
    assert do(world, "orders/settle", token, **transfer(order_id, "21"))
    assert show_order(world.process.store, order_id).status == "placed"
    assert do(world, "orders/settle", token, **transfer(order_id, "20")) == ""
    assert show_order(world.process.store, order_id).status == "credited"


def test_a_large_adjustment_waits_for_somebody_else(world: World) -> None:
    """And its page says so, to whoever may decide and to whoever may not."""
    token = sign_in(world, "finance")
    asked = {"account_id": str(ACCOUNT), "direction": "credit", "amount": "150", "reason": "an outage"}
    assert do(world, "credit/adjust", token, **asked, _once="one") == ""
    (waiting,) = [
        event
        for event in world.process.store.read_log(after_position=0, limit=500)
        if event.topic == "adjustment.requested.v1"
    ]
    adjustment_id = msgspec.json.decode(waiting.state)["adjustment_id"]
    assert do(world, "credit/approve", token, adjustment_id=adjustment_id)
    token = sign_in(world, "admin")
    assert do(world, "credit/approve", token, adjustment_id=adjustment_id) == ""


def test_a_table_is_a_file_too(world: World) -> None:
    """Everything that the filter lets through, with the integers of the books, and no cell is a formula."""
    token = sign_in(world, "admin")
    do(world, "accounts/rename", token, subject_id=str(ACCOUNT), name="=cmd()")
    for path in (
        "orders",
        "webhooks",
        "adjustments",
        "budgets",
        "earnings",
        "money",
        "customers",
        "keys",
        "requests",
    ):
        for form in ("csv", "json"):
            answer = world.get(f"/console/{path}?as={form}")
            assert answer.status_code == 200, path
            assert f'.{form}"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(world.get("/console/customers?as=csv").text)))
    assert {row["name"] for row in rows} == {"'=cmd()", "Acme"}
    (one, _) = world.get("/console/customers?as=json").json()
    assert {"account_id", "status", "name"} <= set(one)


_EARNED: Final = """
    INSERT INTO usage_earnings (slot_us, account_id, key_id, alias, provider, model,
        attempts, failed, served, uncosted, charge_nano, late_nano, cost_nano)
    SELECT %(slot)s, md5(n::text)::uuid, md5(n::text)::uuid, 'big', 'acme', 'm', 1, 0, 1, 0, 3000000000, -1000000000, 1000000000
    FROM generate_series(1, %(many)s) n
"""
_EARNED_BY_MODEL: Final = """
    INSERT INTO usage_margins (slot_us, alias, provider, model, attempts, failed, served, uncosted, charge_nano, late_nano, cost_nano)
    SELECT slot_us, alias, provider, model,
        sum(attempts), sum(failed), sum(served), sum(uncosted), sum(charge_nano), sum(late_nano), sum(cost_nano)
    FROM usage_earnings GROUP BY 1, 2, 3, 4
"""


def test_earnings_are_whole_however_many_customers_there_are(world: World) -> None:
    """The sums are of all, though the list is of the first so many and says so; what providers tell late is revenue."""
    world.project()
    values = {"many": ROWS_MAX + 1, "slot": world.process.ports.clock.now_us() // SLOT_US * SLOT_US}
    with psycopg.connect(world.process.settings.database_url) as connection:
        connection.execute(_EARNED, values)
        connection.execute(_EARNED_BY_MODEL, values)
    world.as_staff("auditor")
    page = world.get("/console/earnings?by=account").text
    assert "20,002.00<small>" in page, "revenue"
    assert page.count("10,001.00<small>") == 2, "cost, and margin"
    assert "50% of the revenue" in page
    assert "Of the first 10,000 only" in page
    assert world.get("/console/earnings?by=account&as=csv").text.count("\n") == ROWS_MAX + 2
    page = world.get("/console/earnings?by=account&from=2020-01-01&until=2020-02-01").text
    assert "Nothing was earned in this time" in page
    assert "?from=2020-01-01&amp;until=2020-02-01&amp;by=day" in page


def test_what_is_announced_is_shown_in_the_reader_s_language(world: World) -> None:
    """By one form with all languages; an empty one is left out."""
    token = sign_in(world, "support")
    fields = {
        "title.en": "Maintenance",
        "body.en": "On\r\nSunday",
        "title.ja": "メンテナンス",
        "title.ko": " ",
    }
    assert do(world, "announcements/set", token, **fields, severity="warning", audience="customers") == ""
    (one,) = world.process.directory.announcements.by_id.values()
    assert set(one.texts) == {"en", "ja"}
    assert one.texts["en"].body == "On\nSunday"
    assert "メンテナンス" in world.get("/console/announcements", **{"accept-language": "ja"}).text
    assert do(world, "announcements/set", token, severity="warning", **{"title.ja": "x"})
    edit = world.get(f"/console/announcements?edit={one.announcement_id}").text
    assert "On\nSunday</textarea>" in edit
    assert do(world, "announcements/withdraw", token, announcement_id=str(one.announcement_id)) == ""
    assert not world.process.directory.announcements.by_id


def test_a_model_is_made_priced_and_explained_by_forms(world: World) -> None:
    """From a provider to a route; the simulator, the price's versions and the launch page say what is there now."""
    token = sign_in(world, "operator")
    assert "Everything is ready" not in world.get("/console/launch").text
    assert do(world, "providers/register", token, name="acme", base_url="https://api.example.com/v1") == ""
    (provider,) = world.process.directory.providers.values()
    deployment = {
        "provider_id": str(provider.provider_id),
        "upstream_model": "big-1",
        "context_tokens": "1000",
    }
    assert do(world, "deployments/add", token, **deployment, output_tokens_max="100") == ""
    (one,) = world.process.directory.deployments.values()
    assert do(world, "routes/set", token, alias="big", **{"target.0": str(one.deployment_id)}) == ""
    assert "the model has no price" in world.get("/console/routing?model=big").text
    assert "/console/models/big?edit=price" in world.get("/console/models").text
    price = {"alias": "big", "price.input": "1", "price.output": "2", "note": "first"}
    assert do(world, "prices/publish", token, **price) == ""
    assert do(world, "prices/publish", token, **price | {"price.output": "2.5"}, markup="120") == ""
    versions = world.process.directory.prices["big"]
    assert [one.markup_ppm for one in versions] == [1_000_000, 1_200_000]
    assert "/console/models/big?edit=price" in world.get("/console/prices").text
    assert '<details class="act" open>' in world.get("/console/models/big?edit=price").text
    assert '<details class="act" open>' not in world.get("/console/models/big").text
    page = world.get("/console/prices/2").text
    assert "+20%" in page, "the input, by its markup alone"
    assert "+50%" in page, "the output, by both"
    assert world.get("/console/prices/3").status_code == 404
    small = price | {"price.cached_input": "0.00001", "price.output": "2.5"}
    assert do(world, "prices/publish", token, **small, markup="120") == ""
    form = world.get("/console/models/big?edit=price").text
    assert 'name="price.cached_input" type="text" value="0.00001"' in form, (
        "not as 1e-05, which no form takes"
    )
    found = world.get("/console/routing?model=big&who=&prompt=10&output=10").text
    assert "Tried first." in found
    assert "its context is too short" in world.get("/console/routing?model=big&prompt=2000").text
    launch = world.get("/console/launch").text
    assert "Customers can ask for: big" in launch
    assert "Everything is ready" not in launch
    assert world.get(f"/console/providers/{provider.provider_id}").status_code == 200
    breaker_history(world, provider.provider_id, one.deployment_id)


def hidden_and_shown(page: str, action: str) -> dict[str, str]:
    """What a form would send that nobody changes."""
    form = page[page.index(f'action="{action}"') :].partition("</form>")[0]
    fields = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form)
    fields += re.findall(r'<select[^>]* name="([^"]+)".*?<option value="([^"]*)" selected>', form, re.DOTALL)
    return {name: unescape(value) for name, value in fields if name[0] != "_" and name != "back"}


def test_a_form_keeps_what_is_not_changed_in_it(world: World) -> None:
    """Of a price the units that are seldom, of a model at a provider all its settings, with what the provider takes."""
    token = sign_in(world, "admin")
    do(world, "providers/register", token, name="acme", base_url="https://api.example.com/v1")
    (provider,) = world.process.directory.providers.values()
    settings = {
        "upstream_model": "big",
        "context_tokens": "1000",
        "output_tokens_max": "100",
        "serves": "chat images",
    }
    more = {
        "first_byte_ms": "700",
        "image_tokens_max": "9",
        "passes": "seed",
        "output_field": "max_completion_tokens",
    }
    cost = {"cost.input": "0.5", "cost.output": "1", "cost.image": "0.04", "cost.audio_second": "0.001"}
    fields = settings | more | cost
    assert do(world, "deployments/add", token, provider_id=str(provider.provider_id), **fields) == ""
    (added,) = world.process.directory.deployments.values()
    assert added.spec.detail.cost is not None
    assert added.spec.detail.cost.image_nano_per_million == 40_000_000 * 1_000_000
    page = world.get(f"/console/providers/{provider.provider_id}").text
    sent = hidden_and_shown(page, "/console/do/deployments/change")
    assert do(world, "deployments/change", token, **(sent | {"context_tokens": "2000"})) == ""
    (changed,) = world.process.directory.deployments.values()
    assert changed.spec == msgspec.structs.replace(added.spec, context_tokens=2000)

    assert do(world, "routes/set", token, alias="big", **{"target.0": str(added.deployment_id)}) == ""
    units = {name.replace("cost", "price"): value for name, value in cost.items()}
    seldom = {"price.cache_write_long": "2", "price.characters": "15", "price.search": "0.01"}
    assert do(world, "prices/publish", token, alias="big", note="first", **units, **seldom) == ""
    sent = hidden_and_shown(world.get("/console/models/big").text, "/console/do/prices/publish")
    assert do(world, "prices/publish", token, **(sent | {"note": "the same"})) == ""
    before, after = world.process.directory.prices["big"]
    assert after.price == before.price


def breaker_history(world: World, provider_id: UUID, deployment_id: UUID) -> None:
    """What the breakers did is there to the first time, page by page, and as a file whole."""
    kinds: tuple[type[Event], ...] = (BreakerOpened, BreakerHalfOpened, BreakerClosed)
    facts = [sample(kind, deployment_id=deployment_id) for _ in range(9) for kind in kinds]
    world.process.ports.store.append(numbered(breaker_stream(deployment_id), 1, facts))
    path, seen = f"/console/providers/{provider_id}", 0
    page = world.get(path).text
    while seen < len(facts):
        seen += page.count("big-1</span></strong><p>")
        earlier = re.search(r'href="([^"]*\?before=[0-9]+)#breakers"', page)
        page = world.get(unescape(earlier[1])).text if earlier else ""
        assert bool(page) == (seen < len(facts))
    rows = world.get(f"{path}?table=breakers&as=json").json()
    assert len(rows) == seen
    assert (rows[0]["what"], rows[0]["cause"]) == ("closed", "trial_succeeded")


def test_a_provider_that_nobody_has_heard_of_is_not_called_healthy(world: World) -> None:
    """It was not asked yet; then its key is kept though nobody is there, and both are said."""
    token = sign_in(world, "operator")
    assert do(world, "providers/register", token, name="acme", base_url="https://acme.invalid/v1") == ""
    (provider,) = world.process.directory.providers.values()
    provider_id = str(provider.provider_id)
    pages = ("/console/providers", f"/console/providers/{provider_id}")
    for page in pages:
        assert ">Not asked yet<" in world.get(page).text
    said = do(world, "credentials/store", token, provider_id=provider_id, secret="sk-1", probe="1")
    assert "nothing shows yet that it works" in said
    assert "Not reachable" in said
    (credential,) = world.process.directory.credentials.values()
    said = do(world, "providers/probe", token, provider_id=provider_id)
    assert "Not reachable" in said
    for page in pages:
        assert ">No answer<" in world.get(page).text
        assert ">Healthy<" not in world.get(page).text
    with world.client.portal() as portal:
        portal.call(
            partial(
                world.process.health.credential_failed,
                credential.credential_id,
                secret_version=1,
                cause="auth",
                status=401,
            )
        )
    for page in pages:
        assert ">Secret refused<" in world.get(page).text


def test_a_seller_and_its_series_are_set_by_forms(world: World) -> None:
    """With an address of several lines and tax numbers by kind; a wrong one changes nothing."""
    token = sign_in(world, "finance")
    seller = {
        "legal_name": "Example GmbH",
        "address": "1 Example Street\r\n10115 Berlin",
        "country": "DE",
        "zone": "Europe/Berlin",
        "tax_kind.0": "vat",
        "tax_value.0": "DE123456789",
        "tax_kind.1": "vat",
        "tax_value.1": "",
    }
    assert do(world, "sellers/set", token, **seller | {"tax_value.0": "no"})
    assert do(world, "sellers/set", token, **seller) == ""
    (book,) = world.process.directory.sellers.values()
    assert book.seller.address == ("1 Example Street", "10115 Berlin")
    assert [one.value for one in book.seller.tax_ids] == ["DE123456789"]
    series = {"seller_id": str(book.seller_id), "kind": "invoice", "prefix": "INV-", "digits": "4"}
    assert do(world, "series/open", token, **series) == ""
    page = world.get("/console/invoices").text
    assert "INV-0001" in page
    assert "Nothing was issued yet" in page
    assert "1 Example Street\n10115 Berlin" in world.get(f"/console/invoices?edit={book.seller_id}").text


def test_settings_are_shown_without_what_may_be_a_secret(world: World) -> None:
    """Of texts only those that are known to hold none; files of them too."""
    sign_in(world, "auditor")
    for path in ("/console/settings", "/console/settings?as=json"):
        page = world.get(path).text
        assert "ADJUSTMENT_APPROVAL_NANO" in page
        assert MASTER_KEY not in page
        assert MASTER_KEY.partition(":")[2] not in page
        assert world.process.settings.database_url not in page
    shown = {one["name"]: one["value"] for one in world.get("/console/settings?as=json").json()}
    assert (shown["PRICES_NEED_APPROVAL"], shown["OIDC_NAME"], shown["OIDC_CLIENT_SECRET"]) == (
        "off",
        "SSO",
        None,
    )
