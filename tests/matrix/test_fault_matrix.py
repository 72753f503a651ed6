"""Every way in which a provider can misbehave, for every kind of client and upstream, through a running gateway.

The client gets the right answer, the ledger has the right attempts and the right charge, and nothing is left behind.
"""

from collections import Counter
from collections.abc import Callable

from adapters.eventstore.store import PostgresEventStore
from application.verify.verify import verify
from domain.health.breaker import BreakerOpened
from domain.health.credential import CredentialFailed
from domain.topics import REGISTRY
from tests.api.v1.gateway_world import World
from tests.matrix.claims import wrong_answer, wrong_charge, wrong_record
from tests.matrix.play import GROWTH_KIB_MAX, Got, Played
from tests.told import Tell

FAULTS_MIN = 60
NO_PROOF = ("auth", 403)
SHOWN_MAX = 60


def wrong(played: Played, claim: Callable[[Got], str | None]) -> str:
    """What is wrong of which cells; empty if all is well."""
    found = [(one.cell.name, fault) for one in played.got if (fault := claim(one)) is not None]
    lines = [f"{name}: {fault}" for name, fault in found[:SHOWN_MAX]]
    return "" if not found else "\n".join([f"{len(found)} of {len(played.got)} cells", *lines])


def test_every_client_gets_the_right_answer(played: Played) -> None:
    """Its own envelope, or the second deployment's whole answer, or an event on which its SDK raises; and no leak."""
    assert not (fault := wrong(played, lambda one: wrong_answer(one, played.bank))), fault


def test_every_attempt_is_recorded_as_what_it_was(played: Played) -> None:
    """Class and status of each, in order."""
    assert not (fault := wrong(played, lambda one: wrong_record(one, played.bank))), fault


def test_every_charge_is_right(played: Played) -> None:
    """Nothing and the hold given back, or what was served, and never more than was held."""
    assert not (fault := wrong(played, wrong_charge)), fault


def test_the_ledger_is_in_order_after_all_of_it(matrix_world: World, played: Played) -> None:
    """Refolded from the log."""
    store = PostgresEventStore(matrix_world.settings.database_url)
    try:
        report = verify(store, REGISTRY)
    finally:
        store.close()
    assert report.ok, report
    assert played.got


def test_health_tells_only_of_whom_it_should(matrix_world: World, played: Played) -> None:
    """A credential that was refused, or has no money, is out; no breaker opens below five failures in a row.

    A 403 may be about what one request asked for, so it is no proof against a credential that all use.
    """
    store = PostgresEventStore(matrix_world.settings.database_url)
    try:
        log = store.read_log(after_position=0, limit=1_000_000)
    finally:
        store.close()
    facts = [
        REGISTRY.decode(one.topic, one.state)
        for one in log
        if one.topic.startswith(("breaker.", "credential-health."))
    ]
    assert [fact for fact in facts if isinstance(fact, BreakerOpened)] == []
    found = {
        (fact.credential_id, fact.cause, fact.status) for fact in facts if isinstance(fact, CredentialFailed)
    }
    wanted = {
        (played.bank.credentials[one.place.name], one.cell.expected.outcome, one.cell.expected.status)
        for one in played.got
        if one.cell.expected.outcome in ("auth", "funds")
        and (one.cell.expected.outcome, one.cell.expected.status) != NO_PROOF
    }
    assert found == wanted


def test_nothing_is_left_behind(played: Played) -> None:
    """Every connection to the upstream is closed once the idle ones have had their time."""
    assert played.left_open == 0
    assert played.mistakes == []


def test_memory_is_flat(played: Played) -> None:
    """What has no end takes no memory that stays."""
    assert played.memory.after_kib - played.memory.before_kib < GROWTH_KIB_MAX, played.memory


def test_the_matrix_is_as_large_as_it_should_be(played: Played, tell: Tell) -> None:
    """At least sixty misbehaviours; the table shows what came of each."""
    assert len({one.cell.fault.name for one in played.got}) >= FAULTS_MIN
    tell(table(played))


def table(played: Played) -> str:
    """Fault by upstream, over all clients: what a document came to, then a stream; and the count."""
    rows: dict[str, dict[tuple[str, bool], Counter[str]]] = {}
    for one in played.got:
        row = rows.setdefault(one.cell.fault.name, {})
        row.setdefault((one.cell.kind, one.cell.stream), Counter())[_came_to(one)] += 1
    lines = [f"\n{len(rows)} faults, {len(played.got)} cells in {played.took_s:.0f} s; {played.memory}"]
    for name, row in rows.items():
        told = [
            f"{kind}{'~' if stream else ''}: {', '.join(f'{what} x{n}' for what, n in sorted(counts.items()))}"
            for (kind, stream), counts in row.items()
        ]
        lines.append(f"{name:28} {' | '.join(told)}")
    return "\n".join(lines)


def _came_to(one: Got) -> str:
    if one.cell.expected.ends == "breaks":
        return "error event"
    if one.cell.expected.ends == "fails" and one.cell.rescued:
        return "second serves"
    return str(one.status)
