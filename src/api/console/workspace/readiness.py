"""What is still to be done with an account, told by facts alone: nothing here is a state that somebody ticks off."""

from typing import Any
from uuid import UUID

import msgspec

from api.console.access import Visit
from api.console.key_lists import newest_keys
from api.console.pages import Pages
from api.console.texts import N_
from application.command import load
from application.queries import Balance
from domain.invoicing import billing
from domain.invoicing.billing import Billing, billing_stream
from domain.limits import NO_LIMITS


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do. `is_needed`: without it no request is served."""

    title: str
    text: str
    is_done: bool
    is_needed: bool = False
    path: str = ""
    label: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the steps are told by."""

    is_confirmed: bool
    has_mail: bool
    has_billing: bool
    has_key: bool
    has_credit: bool
    has_asked: bool
    has_limits: bool
    has_alerts: bool
    has_totp: bool


def facts_of(pages: Pages, visit: Visit, account_id: UUID, *, balance: Balance, latest: Any) -> Facts:
    """Blocking."""
    tools = pages.tools.admin
    directory, person = tools.directory, visit.person
    keys = newest_keys(tools, account_id)
    budgets = [one for one in directory.budgets.values() if one.account_id == account_id and not one.removed]
    state = load(tools.ports.store, billing_stream(account_id), Billing(), billing.evolve)
    limited = directory.accounts[account_id].limits != NO_LIMITS or any(
        one.limits != NO_LIMITS for one in keys
    )
    return Facts(
        is_confirmed=person is not None and person.confirmed_us is not None,
        has_mail=pages.tools.mailed is not None,
        has_billing=state.profile is not None,
        has_key=bool(keys),
        has_credit=balance.granted_nano > 0,
        has_asked=bool(latest),
        has_limits=limited or bool(budgets),
        has_alerts=any(one.alert_percents for one in budgets),
        has_totp=person is not None and person.has_totp,
    )


def steps_of(facts: Facts, account_id: UUID) -> list[Step]:
    """In the order in which they are best done."""
    base = f"/app/{account_id}"
    return [*(_confirm(facts) if facts.has_mail else []), *_needed(facts, base), *_wise(facts, base)]


def _confirm(facts: Facts) -> list[Step]:
    return [
        Step(
            title=N_("Confirm your address"),
            text=N_("So that invoices and alerts reach you."),
            is_done=facts.is_confirmed,
            path="/me",
            label=N_("Your sign-in"),
        )
    ]


def _needed(facts: Facts, base: str) -> list[Step]:
    return [
        Step(
            title=N_("Make an API key"),
            text=N_("Your programs send it with each request. Give each of them one of its own."),
            is_done=facts.has_key,
            is_needed=True,
            path=f"{base}/keys",
            label=N_("API keys"),
        ),
        Step(
            title=N_("Have credit"),
            text=N_("Requests are paid for from credit."),
            is_done=facts.has_credit,
            is_needed=True,
            path=f"{base}/recharge",
            label=N_("Top up"),
        ),
        Step(
            title=N_("Send a first request"),
            text=N_("Take one of the snippets on this page. It shows here within a second."),
            is_done=facts.has_asked,
            is_needed=True,
        ),
    ]


def _wise(facts: Facts, base: str) -> list[Step]:
    return [
        Step(
            title=N_("Say whom invoices are for"),
            text=N_("Name, address and tax number stand on every document."),
            is_done=facts.has_billing,
            path=f"{base}/settings#billing",
            label=N_("Settings"),
        ),
        Step(
            title=N_("Bound what can be spent"),
            text=N_("Limits of a key, or a budget: a program that runs wild then stops by itself."),
            is_done=facts.has_limits,
            path=f"{base}/budgets",
            label=N_("Budgets"),
        ),
        Step(
            title=N_("Be told before it is spent"),
            text=N_("A budget raises an alert at each of its percentages."),
            is_done=facts.has_alerts,
            path=f"{base}/budgets",
            label=N_("Budgets"),
        ),
        Step(
            title=N_("Protect your sign-in"),
            text=N_("With a second factor a stolen password is not enough."),
            is_done=facts.has_totp,
            path="/me/second-factor",
            label=N_("Set up"),
        ),
    ]
