"""Stand-ins for ports that keep their contracts, in memory and deterministic. Rules and handlers run for real on them."""

from collections.abc import Callable, Sequence
from uuid import UUID

from msgspec.structs import replace

from adapters.eventstore import memory
from application.bodies.ports import Body
from application.checkout.inbox import Claimed, QueuedWebhook, WebhookPage
from application.checkout.ports import Notice
from application.command import Ports
from application.eventlog import LogUnavailable, NewEvent, RecordedEvent
from application.hooks.kinds import Message
from application.hooks.ports import EndpointRow, MessagePage, MessageState
from application.mail.letters import template_of
from application.mail.outbox import Claimed as ClaimedMail
from application.mail.outbox import Mail, MailPage, MailState, QueuedMail
from application.queries import RequestPlace
from application.reports.trial_balance import BooksBehind, TrialBalancePage
from application.routing.probe import Probed, ProbeTarget
from application.vault import KeyRotation, SecretMissing, SecretRef, VaultDamaged
from domain.catalogue.addresses import Allowlist
from domain.catalogue.credential import SealedSecret
from domain.event import Event
from domain.health.probe import ProbeOutcome
from domain.keys.secret import SecretHasher
from domain.ledger.events import RequestAbandoned, RequestAdmitted, RequestReleased, UsageCharged
from domain.periods import TrialBalanceSeal
from domain.privacy import Sealed, SubjectErased
from domain.recharge.webhooks import WebhookState
from domain.secret import Secret
from domain.topics import REGISTRY

SECOND_US = 1_000_000
NOON_US = 1_764_000_000 * SECOND_US


class MemoryEventStore(memory.MemoryEventStore):
    """The event log in memory that can be away, and lets another writer in ahead of an append or a read."""

    def __init__(self) -> None:
        super().__init__()
        self.before_append: Callable[[], object] | None = None
        self.before_read: dict[UUID, Callable[[], object]] = {}  #: once, before this stream is read
        self.is_down = False

    @property
    def log(self) -> list[RecordedEvent]:
        return super().read_log(after_position=0, limit=1_000_000)

    def append(self, events: Sequence[NewEvent]) -> int:
        hook, self.before_append = self.before_append, None
        if hook is not None:
            hook()
        self._require_up()
        return super().append(events)

    def read_stream(self, stream_id: UUID, *, after_version: int = 0) -> list[RecordedEvent]:
        hook = self.before_read.pop(stream_id, None)
        if hook is not None:
            hook()
        self._require_up()
        return super().read_stream(stream_id, after_version=after_version)

    def read_control(self, *, after_position: int, limit: int) -> list[RecordedEvent]:
        self._require_up()
        return super().read_control(after_position=after_position, limit=limit)

    def _require_up(self) -> None:
        if self.is_down:
            raise LogUnavailable("the log is down")


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now_us: int = NOON_US) -> None:
        self.us = now_us

    def now_us(self) -> int:
        return self.us

    def monotonic_s(self) -> float:
        return self.us / SECOND_US

    def move(self, seconds: float) -> None:
        self.us += round(seconds * SECOND_US)


class CountingIds:
    """Ids 1, 2, 3, ... and bytes that are never the same twice."""

    def __init__(self) -> None:
        self._count = 0

    def new(self) -> UUID:
        self._count += 1
        return UUID(int=self._count)

    def entropy(self, size_bytes: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(size_bytes, "big")


class MemoryVault:
    """A vault without sealing."""

    def __init__(self) -> None:
        self.secrets: dict[SecretRef, Secret] = {}

    def store(self, *, provider_id: UUID, credential_id: UUID, secret: Secret) -> SealedSecret:
        version = 1 + max(
            (ref.secret_version for ref in self.secrets if ref.credential_id == credential_id), default=0
        )
        ref = SecretRef(provider_id=provider_id, credential_id=credential_id, secret_version=version)
        self.secrets[ref] = secret
        return SealedSecret(secret_version=version, master_key_id="k1", fingerprint=f"{version:016x}")

    def open(self, ref: SecretRef) -> Secret:
        try:
            return self.secrets[ref]
        except KeyError:
            raise SecretMissing(str(ref.credential_id)) from None

    def forget(self, credential_id: UUID, *, before_version: int | None = None) -> int:
        gone = [
            ref
            for ref in self.secrets
            if ref.credential_id == credential_id
            and (before_version is None or ref.secret_version < before_version)
        ]
        for ref in gone:
            del self.secrets[ref]
        return len(gone)

    def root_secret(self) -> bytes:
        return b"r" * 32

    def rotate_master_key(self, *, batch_rows: int = 200) -> KeyRotation:
        return KeyRotation(master_key_id="k1", resealed=0)


class MemoryNames:
    """Names in a dictionary."""

    def __init__(self) -> None:
        self.names: dict[UUID, str] = {}
        self.erased: set[UUID] = set()

    def put(self, subject_id: UUID, name: str) -> None:
        if subject_id in self.erased:
            raise SubjectErased("this subject was erased")
        self.names[subject_id] = name

    def get(self, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        return {one: self.names[one] for one in subject_ids if one in self.names}

    def like(self, text: str, *, limit: int) -> list[UUID]:
        plain = text.lower()
        return sorted(one for one, name in self.names.items() if plain and plain in name.lower())[:limit]


class MemoryPersonalData:
    """Envelopes that only this object can open: what they hold is kept here, by their number."""

    def __init__(self, names: MemoryNames) -> None:
        self._names = names
        self._keys: dict[UUID, UUID] = {}
        self._inside: dict[tuple[UUID, bytes, str], bytes] = {}

    def seal(self, subject_id: UUID, plaintext: bytes, *, place: str) -> Sealed:
        if subject_id in self._names.erased:
            raise SubjectErased("this subject was erased")
        key_id = self._keys.setdefault(subject_id, UUID(int=9_000 + len(self._keys)))
        sealed = Sealed(key_id=key_id, ciphertext=str(len(self._inside)).encode())
        self._inside[subject_id, sealed.ciphertext, place] = plaintext
        return sealed

    def open(self, subject_id: UUID, sealed: Sealed, *, place: str) -> bytes | None:
        if subject_id in self._names.erased:
            return None
        try:
            return self._inside[subject_id, sealed.ciphertext, place]
        except KeyError:
            raise VaultDamaged("an envelope does not open in its place") from None

    def erase(self, subject_id: UUID, *, named: Sequence[UUID] = ()) -> UUID | None:
        for one in (subject_id, *named):
            self._names.erased.add(one)
            self._names.names.pop(one, None)
        return self._keys.get(subject_id)


class MemoryBooks:
    """Empty books that have come to `position`."""

    def __init__(self) -> None:
        self.position = 0

    def seal(self, *, until_us: int, head_position: int) -> TrialBalanceSeal:
        if self.position < head_position:
            raise BooksBehind("the books do not reach the end of the period yet")
        return TrialBalanceSeal(position=self.position, rules_version=1, accounts=0, sha256="0" * 64)

    def trial_balance(self, *, after: str = "", limit: int = 100) -> TrialBalancePage:
        return TrialBalancePage(position=self.position, items=(), next_after=None)

    def account(self, name: str) -> tuple[int, int] | None:
        return None


class MemoryPlaces:
    """Where requests stand in a log in memory."""

    def __init__(self, store: MemoryEventStore) -> None:
        self._store = store

    def place(self, request_id: UUID) -> RequestPlace | None:
        events = [(one.position, REGISTRY.decode(one.topic, one.state)) for one in self._store.log]
        admitted = [at for at, event in events if _is_of(event, request_id, RequestAdmitted)]
        ended = [at for at, event in events if _is_of(event, request_id, *_ENDINGS)]
        return RequestPlace(admitted[0], (ended or admitted)[-1], not ended) if admitted else None


_ENDINGS = (UsageCharged, RequestReleased, RequestAbandoned)


def _is_of(event: Event, request_id: UUID, *kinds: type[Event]) -> bool:
    return isinstance(event, kinds) and getattr(event, "request_id", None) == request_id


class FakeProbe:
    """Providers that take every secret, until `says` is something else. It remembers whom it asked with what."""

    def __init__(self) -> None:
        self.says: tuple[ProbeOutcome, int] = ("ok", 200)
        self.asked: list[tuple[str, bytes | None]] = []

    def __call__(self, target: ProbeTarget) -> Probed:
        self.asked.append((target.url(b"/models").host, target.authorization))
        outcome, status = self.says
        return Probed(outcome=outcome, status=status, took_ms=1)


class MemoryBodies:
    """Kept bodies in a dictionary."""

    def __init__(self) -> None:
        self.bodies: dict[UUID, Body] = {}
        self.unreadable = False  #: as after the erasure of the account

    def account_of(self, request_id: UUID) -> UUID | None:
        body = self.bodies.get(request_id)
        return None if body is None else body.account_id

    def read(self, request_id: UUID) -> Body | None:
        return None if self.unreadable else self.bodies.get(request_id)

    def delete(self, account_id: UUID) -> None:
        self.bodies = {one: body for one, body in self.bodies.items() if body.account_id != account_id}


class MemoryInbox:
    """Messages of payment providers in a dictionary. What is put off is due again at once, what rests is not."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], QueuedWebhook] = {}
        self.raw: dict[tuple[str, str], bytes] = {}
        self.resting: set[tuple[str, str]] = set()
        self.is_down = False

    def put(self, provider: str, notice: Notice, raw: bytes) -> None:
        self._require_up()
        row = QueuedWebhook(
            provider=provider,
            event_ref=notice.event_ref,
            kind=notice.kind,
            object_ref=notice.object_ref,
            state="waiting",
            reason="",
            order_id=None,
            attempts=0,
            received_us=len(self.rows) + 1,
        )
        if (provider, notice.event_ref) not in self.rows:
            self.resting.add((provider, notice.event_ref))
        self.rows.setdefault((provider, notice.event_ref), row)
        self.raw.setdefault((provider, notice.event_ref), raw)

    def read(self, provider: str, event_ref: str) -> bytes | None:
        return self.raw.get((provider, event_ref))

    def claim(self, *, limit: int, rest_s: float) -> list[Claimed]:
        self._require_up()
        waiting = [one for place, one in self.rows.items() if place not in self.resting]
        due = [row for row in waiting if row.state == "waiting"][:limit]
        for row in due:
            self._change(row.provider, row.event_ref, attempts=row.attempts + 1)
        return [Claimed(row.provider, row.event_ref, row.attempts + 1) for row in due]

    def postpone(self, provider: str, event_ref: str, *, wait_s: float, reason: str) -> None:
        self._change(provider, event_ref, reason=reason)

    def settle(
        self, provider: str, event_ref: str, *, state: WebhookState, reason: str, order_id: UUID | None
    ) -> None:
        self.resting.discard((provider, event_ref))
        if (provider, event_ref) in self.rows:
            self._change(provider, event_ref, state=state, reason=reason, order_id=order_id)

    def page(
        self, *, state: WebhookState | None = None, before_us: int | None = None, limit: int = 100
    ) -> WebhookPage:
        found = [row for row in reversed(self.rows.values()) if state in {None, row.state}]
        return WebhookPage(items=tuple(found[:limit]), next_before_us=None)

    def _change(self, provider: str, event_ref: str, **changes: object) -> None:
        self._require_up()
        place = (provider, event_ref)
        self.rows[place] = replace(self.rows[place], **changes)

    def _require_up(self) -> None:
        if self.is_down:
            raise LogUnavailable("the queue is down")


class MemoryOutbox:
    """Mails in a dictionary, in the clear. Keeps the contract of `Outbox`, but for erasures."""

    def __init__(self) -> None:
        self.mails: dict[UUID, Mail] = {}
        self.rows: dict[UUID, QueuedMail] = {}
        self._claims: dict[UUID, int] = {}
        self._expires: dict[UUID, int | None] = {}

    def put(self, mail: Mail, *, now_us: int) -> bool:
        if mail.mail_id in self.rows:
            return False
        self.mails[mail.mail_id], self._claims[mail.mail_id] = mail, 0
        self._expires[mail.mail_id] = mail.expires_us
        self.rows[mail.mail_id] = QueuedMail(
            mail_id=mail.mail_id,
            template=template_of(mail.letter),
            locale=mail.locale,
            subject_id=mail.subject_id,
            state="waiting",
            reason="",
            attempts=0,
            queued_us=now_us,
            next_us=now_us,
            sent_us=None,
        )
        return True

    def find(self, mail_id: UUID) -> QueuedMail | None:
        return self.rows.get(mail_id)

    def page(
        self, *, state: MailState | None = None, before: str | None = None, limit: int = 100
    ) -> MailPage:
        found = [row for row in reversed(self.rows.values()) if state in {None, row.state}]
        return MailPage(items=tuple(found[:limit]), next_before=None)

    def claim(self, *, now_us: int, rest_us: int) -> ClaimedMail | None:
        live = [row for row in self.rows.values() if row.state in {"waiting", "handing_over"}]
        due = sorted((row.next_us, str(row.mail_id), row) for row in live if row.next_us <= now_us)
        if not due:
            return None
        row = due[0][2]
        self._claims[row.mail_id] += 1
        self._set(row.mail_id, attempts=row.attempts + 1, next_us=now_us + rest_us)
        return ClaimedMail(
            mail_id=row.mail_id,
            claim=self._claims[row.mail_id],
            attempts=row.attempts + 1,
            queued_us=row.queued_us,
            expires_us=self._expires[row.mail_id],
            was_handing_over=row.state == "handing_over",
        )

    def open(self, claimed: ClaimedMail) -> Mail | None:
        return self.mails.get(claimed.mail_id)

    def hand_over(self, claimed: ClaimedMail, *, now_us: int, rest_us: int) -> bool:
        if not self._holds(claimed):
            return False
        self._set(claimed.mail_id, state="handing_over", next_us=now_us + rest_us)
        return True

    def postpone(self, claimed: ClaimedMail, *, until_us: int, reason: str) -> None:
        if self._holds(claimed):
            self._set(claimed.mail_id, state="waiting", next_us=until_us, reason=reason)

    def settle(self, claimed: ClaimedMail, state: MailState, *, now_us: int, reason: str = "") -> None:
        if self._holds(claimed):
            sent_us = now_us if state == "sent" else None
            self._set(claimed.mail_id, state=state, reason=reason, next_us=now_us, sent_us=sent_us)
            if state != "parked":
                del self.mails[claimed.mail_id]

    def retry(self, mail_id: UUID, *, now_us: int) -> bool:
        if mail_id not in self.rows or self.rows[mail_id].state != "parked":
            return False
        self._claims[mail_id] += 1
        self._set(mail_id, state="waiting", attempts=0, next_us=now_us, reason="")
        return True

    def discard(self, mail_id: UUID, *, now_us: int, reason: str) -> bool:
        if mail_id not in self.rows or self.rows[mail_id].state not in {"waiting", "parked"}:
            return False
        self._claims[mail_id] += 1
        self._set(mail_id, state="discarded", next_us=now_us, reason=reason)
        self.mails.pop(mail_id, None)
        return True

    def _holds(self, claimed: ClaimedMail) -> bool:
        row = self.rows[claimed.mail_id]
        return self._claims[claimed.mail_id] == claimed.claim and row.state in {"waiting", "handing_over"}

    def _set(self, mail_id: UUID, **changes: object) -> None:
        self.rows[mail_id] = replace(self.rows[mail_id], **changes)


class MemoryFailures:
    """Failed attempts by bucket, in windows."""

    def __init__(self) -> None:
        self._windows: dict[bytes, tuple[int, int]] = {}  #: when it began, and how many

    def take(self, bucket: bytes, *, most: int, now_us: int, since_us: int) -> bool:
        begun_us, failures = self._windows.get(bucket, (0, 0))
        if begun_us >= since_us and failures >= most:
            return False
        self._windows[bucket] = (begun_us, failures + 1) if begun_us >= since_us else (now_us, 1)
        return True

    def give_back(self, bucket: bytes) -> None:
        begun_us, failures = self._windows[bucket]
        self._windows[bucket] = (begun_us, failures - 1)

    def forget(self, bucket: bytes) -> None:
        self._windows.pop(bucket, None)


class MemoryHooks:
    """What commands put into the queue of messages to endpoints; the endpoints are the tests' to say."""

    def __init__(self) -> None:
        self.rows: list[EndpointRow] = []
        self.queued: list[tuple[UUID, Message]] = []
        self.replayed: list[tuple[UUID, int | None, str | None]] = []

    def endpoints(self, account_id: UUID) -> tuple[EndpointRow, ...]:
        return tuple(one for one in self.rows if one.endpoint.account_id == account_id)

    def messages(
        self,
        endpoint_id: UUID,
        *,
        state: MessageState | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> MessagePage:
        del endpoint_id, state, before, limit
        return MessagePage(items=(), next_before=None)

    def put(self, endpoint_id: UUID, message: Message) -> None:
        self.queued.append((endpoint_id, message))

    def replay(self, endpoint_id: UUID, *, from_position: int | None, message_id: str | None) -> int:
        self.replayed.append((endpoint_id, from_position, message_id))
        return len(self.queued)


def memory_ports(*, allowlist: str = "127.0.0.1") -> Ports:
    """Everything that handlers ask for."""
    names, store = MemoryNames(), MemoryEventStore()
    return Ports(
        store=store,
        clock=ManualClock(),
        ids=CountingIds(),
        vault=MemoryVault(),
        names=names,
        personal=MemoryPersonalData(names),
        bodies=MemoryBodies(),
        hasher=SecretHasher(b"pepper"),
        books=MemoryBooks(),
        allowlist=Allowlist.parse(allowlist),
        requests=MemoryPlaces(store),
        probe=FakeProbe(),
        approval_nano=100,
        inbox=MemoryInbox(),
        outbox=MemoryOutbox(),
        mail_on=True,
        guesses=MemoryFailures(),
        hooks=MemoryHooks(),
    )
