"""What every command is made of: its input type, and the loop that loads a stream, decides and appends.

`read_stream`, fold, `decide`, `append` at the next versions; another writer in between means deciding again
on what is true now, a bounded number of times.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final, TypeVar, cast
from uuid import UUID

import msgspec

from application.bodies.ports import BodyStore
from application.checkout.inbox import WebhookInbox
from application.checkout.ports import Checkouts
from application.clock import Clock, Ids
from application.eventlog import EventLogError, EventStore, NewEvent, RecordedEvent, VersionConflict
from application.hooks.ports import HookQueue
from application.ledger.ports import CallBack, nobody_to_call
from application.mail.outbox import Outbox
from application.names import NameBook
from application.people.ports import Failures
from application.privacy import PersonalData
from application.queries import RequestPlaces
from application.reports.trial_balance import Books
from application.routing.probe import Probe
from application.vault import Vault
from domain.catalogue.addresses import NOTHING_PRIVATE, Allowlist
from domain.event import Event, encode
from domain.fact import Actor, Stamp
from domain.keys.secret import SecretHasher
from domain.operators import Permission
from domain.secret import Secret
from domain.topics import REGISTRY

ATTEMPTS_MAX: Final = 20
GROUP_ATTEMPTS_MAX: Final = 50
"""More than of one stream: a wallet near zero is written several times a request."""

State = TypeVar("State")
EventT = TypeVar("EventT", bound=Event)


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all inputs. A request body decodes straight into one; a field that it does not have is refused."""

    permission: ClassVar[Permission]  #: what an operator's role must allow; the surface checks it


def decode_hook(expected: type, value: object) -> object:
    """The `dec_hook` with which a body decodes into a command: a secret is a string in it.

    Raises:
        TypeError: msgspec makes a `ValidationError` of it, that names the place and not the value.
    """
    if expected is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"Expected a string for `{expected.__name__}`")


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """What handlers work with; each takes what it needs: `handle(command, actor=..., ports=...)`."""

    store: EventStore
    clock: Clock
    ids: Ids
    vault: Vault
    names: NameBook
    personal: PersonalData
    bodies: BodyStore
    hasher: SecretHasher
    books: Books
    allowlist: Allowlist  #: private hosts that a provider may point to
    requests: RequestPlaces
    probe: Probe  #: asks a provider, within the allowlist
    approval_nano: int  #: adjustments above it wait for a second operator
    prices_need_approval: bool = False  #: whether all prices wait for a second operator
    checkouts: Checkouts = msgspec.field(default_factory=Checkouts)  #: payment providers that are set up
    inbox: WebhookInbox  #: messages of payment providers
    pages_url: str = ""  #: where customers' browsers find our pages
    guesses: Failures  #: of codes, by account
    hooks: HookQueue  #: messages to customers' endpoints
    hook_allowlist: Allowlist = NOTHING_PRIVATE  #: private hosts that such an endpoint may be at
    public_url: str = ""  #: where customers' browsers find us
    outbox: Outbox  #: mails that are to be sent; `application.mail.send` puts them in
    mail_on: bool = False  #: whether this installation sends mail at all
    call_back: CallBack = nobody_to_call  #: asks gateways for credit that no request needs


class Contended(EventLogError):
    """Other writers were faster `ATTEMPTS_MAX` times in a row; nothing was stored, and trying again is safe."""

    def __init__(self, stream_id: UUID) -> None:
        super().__init__(f"stream {stream_id} is written too fast")
        self.stream_id = stream_id


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a command did. No events means that everything was as commanded already."""

    version: int  #: of the stream, after the command
    position: int | None  #: of the last stored event in the log; wait for it to read your own write
    events: tuple[Event, ...]


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """What a command made, by id."""

    id: UUID
    done: Done


def stamp(ports: Ports, actor: Actor) -> Stamp:
    """The present, in the actor's name."""
    return Stamp(now_us=ports.clock.now_us(), actor=actor.label)


def new_event(stream_id: UUID, version: int, event: Event) -> NewEvent:
    """An event as the store takes it."""
    return NewEvent(stream_id, version, event.TOPIC, encode(event))


def fold(
    recorded: Iterable[RecordedEvent], initial: State, evolve: Callable[[State, EventT], State]
) -> State:
    """The state after the events.

    Raises:
        UnknownTopic: the log is newer than this code.
    """
    state = initial
    for one in recorded:
        # A stream holds the events of one aggregate; `evolve` fails loudly on any other.
        state = evolve(state, cast("EventT", REGISTRY.decode(one.topic, one.state)))
    return state


def load(
    store: EventStore, stream_id: UUID, initial: State, evolve: Callable[[State, EventT], State]
) -> State:
    """The present state of a stream; `initial` when it has no events."""
    return fold(store.read_stream(stream_id), initial, evolve)


def execute(
    store: EventStore,
    stream_id: UUID,
    initial: State,
    evolve: Callable[[State, EventT], State],
    decide: Callable[[State], Sequence[EventT]],
    *,
    beside: Callable[[Sequence[EventT]], Sequence[NewEvent]] | None = None,
) -> Done:
    """Run one decision against a stream and store what it says, all or nothing.

    `beside` gives events of other streams for the same append.

    Raises:
        Refusal: whatever `decide` raises; nothing was stored.
        VersionConflict: a stream of `beside` is not where its events say it is; nothing was stored.
        Contended: see there.
        LogUnavailable: nothing was stored.
    """
    for _ in range(ATTEMPTS_MAX):
        recorded = store.read_stream(stream_id)
        version = recorded[-1].version if recorded else 0
        decided = decide(fold(recorded, initial, evolve))
        if not decided:
            return Done(version=version, position=None, events=())
        appends = [new_event(stream_id, number, event) for number, event in enumerate(decided, version + 1)]
        others = [] if beside is None else beside(decided)
        try:
            position = store.append([*appends, *others])
        except VersionConflict:
            # Which stream moved is asked of the log: a conflict names one stream of several.
            for other in others:
                if store.read_stream(other.stream_id, after_version=other.version - 1):
                    raise VersionConflict(other.stream_id) from None
            continue
        return Done(version=version + len(decided), position=position, events=tuple(decided))
    raise Contended(stream_id)


def append_decided(store: EventStore, decide: Callable[[], Sequence[NewEvent]]) -> int | None:
    """Store what `decide` says of several streams, all or nothing, and ask it again when another writer was faster.

    Returns the position of the last event; `None` when there was nothing to store.

    Raises:
        Refusal: whatever `decide` raises; nothing was stored.
        Contended, LogUnavailable: nothing was stored.
    """
    stream_id = None
    for _ in range(GROUP_ATTEMPTS_MAX):
        decided = decide()
        if not decided:
            return None
        try:
            return store.append(decided)
        except VersionConflict as conflict:
            stream_id = conflict.stream_id
    assert stream_id is not None
    raise Contended(stream_id)
