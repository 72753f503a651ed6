"""What a gateway knows of accounts, keys and operators, by following the log."""

from uuid import UUID

import msgspec
import pytest

from application.accounts import close_account, reinstate_account, set_account_limits, suspend_account
from application.directory import CONTEXTS
from application.directory_views import Caller
from application.eventlog import RecordedEvent
from application.keys import revoke_key, rotate_key, set_key_expiry, set_key_limits
from application.keys.stream import IssuedKey
from application.operators import disable_operator, register_operator, rotate_operator_token
from domain.event import UnknownTopic
from domain.fact import SYSTEM
from domain.keys.access import AccountNotOpen, InvalidApiKey, InvalidOperatorToken, ModelNotAllowed
from domain.refusal import NotPermitted
from domain.topics import REGISTRY
from tests.application.directory_world import World
from tests.fakes import NOON_US


def enter(world: World, key: IssuedKey, *, now_us: int = NOON_US) -> Caller:
    return world.follow().authenticate(key.secret.reveal().encode(), now_us=now_us)


def test_a_key_opens_its_account() -> None:
    """By one hash; the views hold what the hot path needs."""
    world = World()
    account_id = world.account()
    key = world.key(account_id, models=("a",))
    caller = enter(world, key)
    assert (caller.key.key_id, caller.account.account_id) == (key.key_id, account_id)
    assert caller.key.models == frozenset({"a"})
    digest = world.ports.hasher.digest(key.secret.reveal().encode())
    assert world.directory.api_key(digest) is caller.key
    assert world.directory.account(account_id) is caller.account
    assert world.directory.api_key(b"x" * 32) is None
    assert world.directory.account(UUID(int=99)) is None


@pytest.mark.parametrize("secret", [b"", b"tk_live_", b"\xff" * 100, b"' OR 1=1 --", b"\x00"])
def test_what_is_no_key_opens_nothing(secret: bytes) -> None:
    """Whatever the bytes are, the answer is the same refusal."""
    world = World()
    world.key(world.account())
    with pytest.raises(InvalidApiKey):
        world.follow().authenticate(secret, now_us=NOON_US)


def test_unknown_revoked_and_expired_keys_get_one_answer() -> None:
    """So that nobody learns which keys once existed."""
    world = World()
    account_id = world.account()
    revoked, expiring = world.key(account_id), world.key(account_id, expires_us=NOON_US + 5)
    revoke_key.handle(
        revoke_key.RevokeKey(key_id=revoked.key_id, reason="x"), actor=SYSTEM, ports=world.ports
    )
    enter(world, expiring, now_us=NOON_US + 4)
    assert world.directory.keys_in_use == 1, "one is not revoked, though it ends"
    answers = set()
    for key, now_us in ((revoked, NOON_US), (expiring, NOON_US + 5)):
        with pytest.raises(InvalidApiKey) as caught:
            enter(world, key, now_us=now_us)
        answers.add((type(caught.value), str(caught.value), caught.value.code))
    with pytest.raises(InvalidApiKey) as caught:
        world.directory.authenticate(b"tk_live_unknown", now_us=NOON_US)
    answers.add((type(caught.value), str(caught.value), caught.value.code))
    assert len(answers) == 1


def test_both_secrets_work_until_the_overlap_ends_by_itself() -> None:
    """Nothing has to happen at that time; a further rotation ends the oldest at once."""
    world = World()
    first = world.key(world.account())
    rotation = rotate_key.RotateKey(key_id=first.key_id, overlap_s=60)
    second = rotate_key.handle(rotation, actor=SYSTEM, ports=world.ports)
    assert enter(world, first, now_us=NOON_US + 59_999_999).key.key_id == first.key_id
    assert enter(world, second).key.key_id == first.key_id
    with pytest.raises(InvalidApiKey):
        enter(world, first, now_us=NOON_US + 60_000_000)
    third = rotate_key.handle(rotation, actor=SYSTEM, ports=world.ports)
    with pytest.raises(InvalidApiKey):
        enter(world, first)
    enter(world, second)
    enter(world, third)


def test_the_earlier_of_expiry_and_overlap_ends_a_secret() -> None:
    """Expiry ends the key whatever an overlap says, and can be lifted."""
    world = World()
    first = world.key(world.account(), expires_us=NOON_US + 5)
    rotate_key.handle(
        rotate_key.RotateKey(key_id=first.key_id, overlap_s=60), actor=SYSTEM, ports=world.ports
    )
    with pytest.raises(InvalidApiKey):
        enter(world, first, now_us=NOON_US + 5)
    set_key_expiry.handle(
        set_key_expiry.SetKeyExpiry(key_id=first.key_id, expires_us=None), actor=SYSTEM, ports=world.ports
    )
    enter(world, first, now_us=NOON_US + 5)


def test_an_account_that_is_not_open_lets_nobody_in() -> None:
    """Suspended until reinstated, closed for good; the refusal says which."""
    world = World()
    account_id = world.account()
    key = world.key(account_id)
    suspend_account.handle(
        suspend_account.SuspendAccount(account_id=account_id, reason="x"), actor=SYSTEM, ports=world.ports
    )
    with pytest.raises(AccountNotOpen) as suspended:
        enter(world, key)
    assert suspended.value.status == "suspended"
    reinstate_account.handle(
        reinstate_account.ReinstateAccount(account_id=account_id), actor=SYSTEM, ports=world.ports
    )
    enter(world, key)
    close_account.handle(
        close_account.CloseAccount(account_id=account_id, reason="x"), actor=SYSTEM, ports=world.ports
    )
    with pytest.raises(AccountNotOpen):
        enter(world, key)


def test_a_model_must_be_allowed_by_key_and_account() -> None:
    """Checked at use, so narrowing the account later narrows its keys."""
    world = World()
    account_id = world.account()
    key = world.key(account_id)
    assert enter(world, key).allows("anything")
    set_key_limits.handle(
        set_key_limits.SetKeyLimits(key_id=key.key_id, models=("a", "b"), rpm=3),
        actor=SYSTEM,
        ports=world.ports,
    )
    caller = enter(world, key)
    assert caller.key.limits.rpm == 3
    assert [caller.allows(name) for name in ("a", "b", "c")] == [True, True, False]
    set_account_limits.handle(
        set_account_limits.SetAccountLimits(account_id=account_id, models=("b",)),
        actor=SYSTEM,
        ports=world.ports,
    )
    caller = enter(world, key)
    caller.require_model("b")
    with pytest.raises(ModelNotAllowed) as refused:
        caller.require_model("a")
    assert refused.value.model == "a"


def test_an_operator_enters_with_a_role_until_disabled() -> None:
    """A rotated token and a disabled operator are refused alike."""
    world = World()
    made = register_operator.handle(
        register_operator.RegisterOperator(name="A", role="support"), actor=SYSTEM, ports=world.ports
    )
    operator = world.follow().authenticate_operator(made.token.reveal().encode())
    operator.require("keys")
    with pytest.raises(NotPermitted):
        operator.require("prices")
    assert operator.actor.label == f"operator:{made.operator_id}"
    again = rotate_operator_token.handle(
        rotate_operator_token.RotateOperatorToken(operator_id=made.operator_id),
        actor=operator.actor,
        ports=world.ports,
    )
    with pytest.raises(InvalidOperatorToken):
        world.follow().authenticate_operator(made.token.reveal().encode())
    world.directory.authenticate_operator(again.token.reveal().encode())
    disable_operator.handle(
        disable_operator.DisableOperator(operator_id=made.operator_id, reason="x"),
        actor=SYSTEM,
        ports=world.ports,
    )
    with pytest.raises(InvalidOperatorToken):
        world.follow().authenticate_operator(again.token.reveal().encode())


def test_an_api_key_is_no_operators_token() -> None:
    """Nor the other way round, though both are hashed alike."""
    world = World()
    key = world.key(world.account())
    made = register_operator.handle(
        register_operator.RegisterOperator(name="A", role="admin"), actor=SYSTEM, ports=world.ports
    )
    with pytest.raises(InvalidOperatorToken):
        world.follow().authenticate_operator(key.secret.reveal().encode())
    with pytest.raises(InvalidApiKey):
        world.directory.authenticate(made.token.reveal().encode(), now_us=NOON_US)


def test_applying_the_log_again_changes_nothing() -> None:
    """Events at or below the position are passed over."""
    world = World()
    key = world.key(world.account())
    caller = enter(world, key)
    for recorded in world.store.log:
        world.directory.apply(recorded)
    assert enter(world, key).key is caller.key


def recorded(position: int, topic: str, state: bytes = b"{}") -> RecordedEvent:
    return RecordedEvent(position, UUID(int=1), 1, topic, state, NOON_US)


def test_facts_of_other_contexts_only_move_the_position() -> None:
    """They are not even decoded."""
    world = World()
    world.directory.apply(recorded(41, "wallet.whatever.v9", b"not json"))
    assert world.directory.position == 41


@pytest.mark.parametrize("context", sorted(CONTEXTS))
def test_an_unknown_fact_of_our_own_contexts_stops_everything(context: str) -> None:
    """It may revoke something in a way that this code does not know: passing over it would let someone in."""
    world = World()
    with pytest.raises(UnknownTopic):
        world.directory.apply(recorded(1, f"{context}.quarantined.v1"))
    assert world.directory.position == 0


def test_damage_stops_everything() -> None:
    """Nothing is guessed."""
    world = World()
    with pytest.raises(msgspec.ValidationError):
        world.directory.apply(recorded(1, "account.opened.v1"))
    assert world.directory.position == 0


def test_every_topic_outside_the_ledger_is_followed() -> None:
    """A new context must be added to the directory, or to this list of those that it need not know."""
    contexts = {topic.partition(".")[0] for topic in REGISTRY.topics()}
    of_money = {"wallet", "lease", "budget-share", "period", "offer", "order", "payment", "webhook", "money"}
    of_money |= {"postpaid"}
    of_money |= {"price-proposal"}  # nothing costs it before it is published
    of_money |= {
        "adjustment",
        "repricing",
        "seller",
        "exchange-rate",
        "series",
        "billing",
        "invoice",
        "credit-note",
        "document",
    }
    of_money |= {"auto-recharge", "balance-low", "charge", "usage-report", "invoicing", "mail"}
    of_money |= {"budget-alert", "code-batch", "redemption-code", "redemption-count", "demo", "endpoint"}
    # Announcements are followed too, but one of a newer kind takes nobody's access away: it may be passed over.
    assert contexts - of_money - {"idempotency", "refusals", "announcement", "work"} == CONTEXTS
