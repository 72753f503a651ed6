"""Seeded faults, each with the properties that may catch it. A property that catches none would prove nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from domain.ledger import adjusting, claims, credit, leasing, lending, snapshot
from domain.ledger import lease as lease_rules
from domain.ledger.adjustments import AdjustmentRequested
from domain.ledger.claim_events import CreditUnfrozen, FrozenCreditTaken
from domain.ledger.claims import Claimed
from domain.ledger.events import AdjustmentPosted, CreditLotVoided, RequestAbandoned
from domain.ledger.lease import Lease
from domain.ledger.refusals import UnknownRequest
from domain.ledger.wallet import Wallet
from tests.model.switches import Deciders, Switches
from tests.model.world import EPOCH_US, copy_wallet

Events = Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One fault, and who must notice."""

    name: str
    switches: Switches
    caught_by: frozenset[str]
    examples: int = 3_000  #: the search ends at the first violation; how soon it comes depends on which modules are loaded


def _mutation(name: str, caught_by: str, **switches: Any) -> Mutation:
    return Mutation(name=name, switches=Switches(**switches), caught_by=frozenset(caught_by.split()))


def _decider(name: str, caught_by: str, **deciders: Any) -> Mutation:
    return _mutation(name, caught_by, deciders=Deciders(**deciders))


# --- wrong deciders, as wrappers of the product's


def _richer(wallet: Wallet, amount_nano: int) -> Wallet:
    """The wallet, as if its first lot had so much more."""
    rich = copy_wallet(wallet)
    rich.lots[next(iter(rich.lots))] += amount_nano
    rich.available_nano += amount_nano
    return rich


def _over_grant(wallet: Wallet, *, amount_nano: int, **rest: Any) -> Events:
    rich = _richer(wallet, amount_nano)
    return lending.grant_lease(rich, amount_nano=amount_nano, **rest)


def _over_extend(wallet: Wallet, *, amount_nano: int, **rest: Any) -> Events:
    rich = _richer(wallet, amount_nano)
    return lending.extend_lease(rich, amount_nano=amount_nano + 1, **rest)


def _grant_lot_again(wallet: Wallet, **rest: Any) -> Events:
    return credit.grant_credit(replace(wallet, lots={}, claims={}, owed_nano=0), **rest)


def _settle_twice(wallet: Wallet, **rest: Any) -> Events:
    return 2 * lending.settle_lease(wallet, **rest)


def _settle_as_unspent(wallet: Wallet, *, charged_nano: int, **rest: Any) -> Events:
    return lending.settle_lease(wallet, charged_nano=0, **(rest | {"spent": None}))


def _endless(wallet: Wallet) -> Wallet:
    """The wallet, as if every lot had begun and none would end."""
    terms = {lot_id: replace(one, effective_us=0, expires_us=None) for lot_id, one in wallet.terms.items()}
    return replace(copy_wallet(wallet), terms=terms, over=set(), voided=set())


def _lend_whenever(wallet: Wallet, **rest: Any) -> Events:
    return lending.grant_lease(_endless(wallet), **rest)


def _extend_whenever(wallet: Wallet, **rest: Any) -> Events:
    return lending.extend_lease(_endless(wallet), **rest)


def _reduce_without_breakage(wallet: Wallet, **rest: Any) -> Events:
    return lending.reduce_lease(_endless(wallet), **rest)


def _settle_without_breakage(wallet: Wallet, **rest: Any) -> Events:
    return lending.settle_lease(_endless(wallet), **rest)


def _settle_in_order_of_lots(wallet: Wallet, **rest: Any) -> Events:
    return lending.settle_lease(wallet, **(rest | {"spent": None}))


def _lend_latest_first(wallet: Wallet, **rest: Any) -> Events:
    backwards = replace(wallet, lots=dict(reversed(wallet.lots.items())))
    return lending.grant_lease(backwards, **rest)


def _expire_early(wallet: Wallet, *, now_us: int, **rest: Any) -> Events:
    early = credit.expire_lots(wallet, now_us=now_us + EPOCH_US, **rest)
    return [replace(one, occurred_us=now_us) for one in early]


def _expire_half(wallet: Wallet, **rest: Any) -> Events:
    whole = credit.expire_lots(wallet, **rest)
    return [replace(one, amount_nano=(one.amount_nano + 1) // 2) for one in whole]


def _take_more_than_there_is(wallet: Wallet, asked: AdjustmentRequested, **rest: Any) -> Events:
    rich = _richer(wallet, asked.amount_nano)
    return adjusting.post(rich, asked, **rest)


def _take_latest_first(wallet: Wallet, asked: AdjustmentRequested, **rest: Any) -> Events:
    backwards = replace(wallet, lots=dict(reversed(wallet.lots.items())))
    return adjusting.post(backwards, asked, **rest)


def _take_without_lots(wallet: Wallet, asked: AdjustmentRequested, **rest: Any) -> Events:
    posted = adjusting.post(wallet, asked, **rest)
    return [replace(one, taken=UNSET) if isinstance(one, AdjustmentPosted) else one for one in posted]


def _void_half(wallet: Wallet, asked: AdjustmentRequested, **rest: Any) -> Events:
    posted = adjusting.post(wallet, asked, **rest)
    return [
        replace(one, amount_nano=one.amount_nano // 2) if isinstance(one, CreditLotVoided) else one
        for one in posted
    ]


def _void_to_breakage(wallet: Wallet, **rest: Any) -> Events:
    return lending.settle_lease(replace(copy_wallet(wallet), voided=set()), **rest)


def _void_comes_back(wallet: Wallet, **rest: Any) -> Events:
    return lending.reduce_lease(replace(copy_wallet(wallet), voided=set(), over=set()), **rest)


def _void_is_returned(wallet: Wallet, **rest: Any) -> Events:
    return lending.settle_lease(replace(copy_wallet(wallet), voided=set(), over=set()), **rest)


def _reduce_past_claims(wallet: Wallet, **rest: Any) -> Events:
    return lending.reduce_lease(replace(copy_wallet(wallet), claims={}, owed_nano=0), **rest)


def _settle_past_claims(wallet: Wallet, **rest: Any) -> Events:
    return lending.settle_lease(replace(copy_wallet(wallet), claims={}, owed_nano=0), **rest)


def _grant_past_debts(wallet: Wallet, **rest: Any) -> Events:
    return credit.grant_credit(replace(copy_wallet(wallet), owed_nano=0), **rest)


def _freeze_without_having(wallet: Wallet, on: Claimed, *, wanted_nano: int, **rest: Any) -> Events:
    return claims.freeze(_richer(wallet, wanted_nano), on, wanted_nano=wanted_nano, **rest)


def _take_what_is_spent_only(wallet: Wallet, on: Claimed, **rest: Any) -> Events:
    poor = copy_wallet(wallet)
    poor.lots[on.lot_id] = 0
    return claims.take(poor, on, **rest)


def _take_and_forgive(wallet: Wallet, on: Claimed, **rest: Any) -> Events:
    taken = claims.take(wallet, on, **rest)
    return [replace(one, owed_nano=0) if isinstance(one, FrozenCreditTaken) else one for one in taken]


def _release_half(wallet: Wallet, on: Claimed, **rest: Any) -> Events:
    released = claims.release(wallet, on, **rest)
    return [
        replace(one, amount_nano=one.amount_nano // 2) if isinstance(one, CreditUnfrozen) else one
        for one in released
    ]


def _of_all_lots(lease: Lease, **terms: Any) -> Lease:
    changed = [replace(part, terms=replace(part.terms, **terms)) for part in lease.parts]
    return replace(lease, parts=changed)


def _admit_for_any_model(lease: Lease, **rest: Any) -> Events:
    return lease_rules.admit(_of_all_lots(lease, aliases=()), **rest)


def _admit_after_the_end(lease: Lease, **rest: Any) -> Events:
    return lease_rules.admit(_of_all_lots(lease, expires_us=None), **rest)


def _admit_of_the_latest(lease: Lease, **rest: Any) -> Events:
    return lease_rules.admit(replace(lease, parts=list(reversed(lease.parts))), **rest)


def _admit_without_lots(lease: Lease, **rest: Any) -> Events:
    return [replace(one, slices=UNSET) for one in lease_rules.admit(lease, **rest)]


def _admit_beyond_free(lease: Lease, *, hold_nano: int, **rest: Any) -> Events:
    larger = replace(lease, amount_nano=lease.amount_nano + hold_nano)
    return lease_rules.admit(larger, hold_nano=hold_nano, **rest)


def _admit_again(lease: Lease, **rest: Any) -> Events:
    return lease_rules.admit(replace(lease, holds={}), **rest)


def _charge_above_hold(lease: Lease, *, rated_nano: int, **rest: Any) -> Events:
    charged, *held = lease_rules.charge(lease, rated_nano=rated_nano, **rest)
    return [replace(charged, charge_nano=rated_nano, shortfall_nano=0), *held]


def _charge_negative(lease: Lease, *, rated_nano: int, **rest: Any) -> Events:
    charged, *held = lease_rules.charge(lease, rated_nano=max(rated_nano, 0), **rest)
    return [replace(charged, charge_nano=rated_nano) if rated_nano < 0 else charged, *held]


def _charge_ended(lease: Lease, **rest: Any) -> Events:
    return lease_rules.charge(replace(lease, ended=False), **rest)


def _close_with_holds(lease: Lease, **rest: Any) -> Events:
    return leasing.close(replace(lease, holds={}), **rest)


def _give_back_held(lease: Lease, *, amount_nano: int) -> Events:
    more_nano = amount_nano + lease.held_nano
    return leasing.give_back(replace(lease, held_nano=0), amount_nano=more_nano)


def _release_twice(lease: Lease, **rest: Any) -> Events:
    return 2 * lease_rules.release(lease, **rest)


def _release_charged(lease: Lease, **rest: Any) -> Events:
    """The sweeper of old holds ends a hold that has been charged already."""
    try:
        return lease_rules.release(lease, **rest)
    except UnknownRequest:
        held = replace(lease, holds={rest["request_id"]: 1})
        return lease_rules.release(held, **rest)


def _fence_without_abandoning(lease: Lease, **rest: Any) -> Events:
    return [event for event in leasing.fence(lease, **rest) if not isinstance(event, RequestAbandoned)]


def _snapshot_sorts_lots(wallet: Wallet, *, mark: bytes) -> bytes:
    lots = dict(sorted(wallet.lots.items(), reverse=True))
    return snapshot.encode_snapshot(replace(wallet, lots=lots), mark=mark)


def _snapshot_forgets_leases(wallet: Wallet, *, mark: bytes) -> bytes:
    return snapshot.encode_snapshot(replace(wallet, leases={}), mark=mark)


MUTATIONS: tuple[Mutation, ...] = (
    # the log
    _mutation(
        "append without the head + 1 rule",
        "P02 P03 P05 P06 P07 P14 P15 P32",
        checks_versions=False,
        checks_endings=False,
    ),
    _mutation("a group is stored in part", "P03 P05 P08 P30 R3", groups_are_atomic=False),
    _mutation("the lock that orders the log is removed", "P05 P08 P10", positions_follow_commits=False),
    # the journal
    _mutation(
        "blind retry of an unknown commit",
        "P02 P03 P07 P14 P15 P28 fold",
        reads_doubt_back=False,
        keeps_versions_on_retry=False,
    ),
    _mutation("a conflict is believed without reading the tail", "P03 P07 P28", reads_doubt_back=False),
    _mutation(
        "a decision that lost is stored on top of the winner",
        "P02 P05 P07 P14 P15 P32 fold",
        decides_again=False,
    ),
    _mutation(
        "what follows a failed group is stored",
        "P02 P03 P05 P06 fold",
        fails_what_follows=False,
        checks_endings=False,
    ),
    # the gateway
    _mutation("the first byte does not wait", "P28", first_byte_waits=False),
    _mutation("the last byte does not wait", "P28", last_byte_waits=False),
    _mutation("a response fails on hearsay of a fence", "P28", outcome_decides=False),
    _mutation("the lease counts on credit not lent yet", "P03", wallet_lends_first=False),
    _mutation("the wallet takes back what the lease still counts on", "P03 P27", lease_gives_first=False),
    _mutation("recall is ignored", "P27", answers_recall=False),
    _mutation("a micro lease is not closed", "P27", closes_micro=False),
    _mutation(
        "a charge after the close",
        "P06 P07",
        charges_before_close=False,
        checks_endings=False,
        deciders=Deciders(close=_close_with_holds, charge=_charge_ended),
    ),
    # the others
    _mutation("the reaper settles by what it remembers", "P05", fence_reads_lease=False),
    _mutation("a reader takes the same events twice", "P10 fold", follower_keeps_position=False),
    # wallet rules
    _decider("a lease is granted without credit", "P02", grant_lease=_over_grant),
    _decider("a lease is extended by more than was asked", "P01 P02", extend_lease=_over_extend),
    _decider("a lot is granted twice", "P07", grant_credit=_grant_lot_again),
    _decider("a lease is settled twice", "P05 fold", settle_lease=_settle_twice),
    _decider("a settlement forgets the charges", "P05", settle_lease=_settle_as_unspent),
    # lots
    _decider("an expired lot is lent", "P15 P27", grant_lease=_lend_whenever),
    _decider("an expired lot extends a lease", "P15 P27", extend_lease=_extend_whenever),
    _decider("what comes back of an expired lot lives on", "P15 P27", reduce_lease=_reduce_without_breakage),
    _decider("a settlement forgets breakage", "P15", settle_lease=_settle_without_breakage),
    _decider("a settlement goes by the order of lots", "P05", settle_lease=_settle_in_order_of_lots),
    _decider("the latest lot is lent first", "P14", grant_lease=_lend_latest_first),
    _decider("a lot expires early", "P15", expire_lots=_expire_early),
    _decider("a lot expires in part", "P02", expire_lots=_expire_half),
    # adjustments
    _decider("a debit takes more than there is", "P02", post_adjustment=_take_more_than_there_is),
    _decider("a debit takes of the latest lot", "P14", post_adjustment=_take_latest_first),
    _decider("a debit does not say of which lots", "P01", post_adjustment=_take_without_lots),
    _decider("a lot is taken back in part", "P02", post_adjustment=_void_half),
    _decider("a settlement calls it breakage", "P15", settle_lease=_void_to_breakage),
    _decider(
        "what comes back of a lot taken back lives on",
        "P15 P27",
        reduce_lease=_void_comes_back,
        settle_lease=_void_is_returned,
    ),
    # payments that go back
    _decider(
        "what comes back passes debts and disputes by",
        "P32",
        reduce_lease=_reduce_past_claims,
        settle_lease=_settle_past_claims,
    ),
    _decider("a debt is not paid by what comes in", "P32", grant_credit=_grant_past_debts),
    _decider("a dispute freezes what is not there", "P02", freeze=_freeze_without_having),
    _decider("what is there is owed", "P32", take=_take_what_is_spent_only),
    _decider("what was spent is not owed", "P32", take=_take_and_forgive),
    _decider("a claim lets go of a part", "P32", release_claim=_release_half),
    # holds
    _decider("a hold ignores the models of lots", "P15", admit=_admit_for_any_model),
    _decider("a hold is of a lot that is over", "P15", admit=_admit_after_the_end),
    _decider("a hold is of the latest lot", "P14", admit=_admit_of_the_latest),
    _decider("a hold does not say of which lots", "P03 P05 P14 P15", admit=_admit_without_lots),
    # lease rules
    _decider("a hold beyond what is free", "P03", admit=_admit_beyond_free),
    _decider("a request is admitted twice", "P07", admit=_admit_again),
    _decider("a charge above its hold", "P02 P03 P26 P27", charge=_charge_above_hold),
    _decider("negative usage adds credit", "P01 P03 P26", charge=_charge_negative),
    _decider("a close with holds open", "P05 P07", close=_close_with_holds),
    _decider("a return of what is held", "P01 P03", give_back=_give_back_held),
    _decider("a hold expires twice", "P07 fold", release=_release_twice),
    _decider("a hold expires after its charge", "P07 fold", release=_release_charged),
    _decider("a fence that abandons nothing", "P05", fence=_fence_without_abandoning),
    # snapshots
    _decider("a snapshot changes the order of lots", "P09", encode_snapshot=_snapshot_sorts_lots),
    _decider("a snapshot forgets the leases", "P09", encode_snapshot=_snapshot_forgets_leases),
)
