"""Commands about the sealed log and receipts. What checks a file, or is about keys, needs no database."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from adapters.sealing.ed25519 import new_key, verify
from adapters.sealing.keys import parse_seal_keys
from application.clock import SystemClock
from application.sealing.reading import SealedLog
from application.sealing.verification import WitnessPolicy, verify_seal
from bootstrap import make_receipts, open_pool, open_store, sealed_directory, sealed_log, witnesses_of
from commandline.outcome import Outcome, Tool, add_tool
from commandline.parser import BadArgument
from commandline.texts import credits_of
from commandline.tools import NOT_CHECKED
from domain.receipts.checking import check_receipt
from domain.refusal import NotFound
from domain.sealing.cosignatures import witness_key
from projections.request_log import RequestReader
from settings import BadSetting, Settings

_KEY_WORDS: Final = """\
The private key goes to standard output: put it into a file of mode 0600 and name that in SEAL_KEY_FILE. The key
of receipts has the name of the log with /receipts behind it, and goes into RECEIPT_KEY_FILE."""


def add_sealing(nouns: dict[str, Any]) -> None:
    """Parsers of `tokenok seal` and `tokenok receipt`."""
    seal = nouns["seal"]
    made = add_tool(seal, "new-key", run_new_key, "make a key for a log of this name")
    made.add_argument("name", metavar="NAME", help="such as example.com/tokenok; a log keeps it for ever")
    made.epilog = _KEY_WORDS
    add_tool(seal, "key", run_key, "the public keys of the log and of its receipts, to be published")
    receipt = nouns["receipt"]
    showing = add_tool(receipt, "show", run_receipt, "the receipt of a request, with what only operators see")
    showing.add_argument("--request", type=UUID, required=True, metavar="UUID")
    judging = add_tool(
        receipt, "verify", run_verify_receipt, "check a receipt in a file, without the network"
    )
    judging.add_argument("file", type=Path, metavar="FILE", help="as GET /v1/receipts/ID answered it")
    judging.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="public keys of the receipts and of the log; those of the settings if none is given",
    )
    add_tool(seal, "status", run_status, "how far the log is sealed")
    checking = add_tool(
        seal, "verify", run_verify, "hash the whole log again and compare it with what was signed"
    )
    checking.epilog = "Exit codes: 0 it is what was signed, 1 it is not, 2 it could not be checked."
    checking.set_defaults(failure_status=NOT_CHECKED)
    checking.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="KEY",
        help="public key of a witness whose cosignature counts; those of the settings if none is given",
    )
    checking.add_argument(
        "--quorum",
        type=int,
        metavar="NUMBER",
        help="how many must have cosigned; WITNESS_QUORUM if there are any",
    )
    proving = add_tool(seal, "prove", run_prove, "prove that an event is in the sealed log")
    wanted = proving.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--position", type=int, metavar="NUMBER", help="of the event in the log")
    wanted.add_argument("--request", type=UUID, metavar="UUID", help="the event that ended this request")
    consistent = add_tool(
        seal, "consistency", run_consistency, "prove that one tree is the beginning of another"
    )
    consistent.add_argument("--from", dest="old_size", type=int, required=True, metavar="SIZE")
    consistent.add_argument(
        "--to", dest="size", type=int, metavar="SIZE", help="else the newest checkpoint's"
    )


def run_new_key(_settings: Settings, values: argparse.Namespace) -> Outcome:
    key = new_key(values.name)
    return Outcome({"private": key, "public": parse_seal_keys(key).public[0].text}, text=f"{key}\n")


def run_key(settings: Settings, _values: argparse.Namespace) -> Outcome:
    given = {"log": settings.seal_key, "receipts": settings.receipt_key}
    keys = {use: parse_seal_keys(text).public[0].text for use, text in given.items() if text}
    if not keys:
        raise BadSetting("neither SEAL_KEY nor RECEIPT_KEY is set")
    return Outcome(keys, text="".join(f"{key}\n" for key in keys.values()))


def run_status(settings: Settings, _values: argparse.Namespace) -> Outcome:
    with _sealed(settings) as sealed:
        return Outcome(sealed.status())


def run_verify(settings: Settings, values: argparse.Namespace) -> Outcome:
    _require_seal(settings)
    trust = parse_seal_keys(settings.seal_key).trust
    with open_store(settings) as store:
        report = verify_seal(store, sealed_directory(settings), trust, _policy(settings, values))
    head = f"{report.origin}: {report.events} of {report.size} sealed events hashed again\n"
    if report.witnessed_by:
        head += f"{report.witnessed_size} of them cosigned by {', '.join(report.witnessed_by)}\n"
    lines = [f"wrong  {finding}\n" for finding in report.findings] or ["The log is what was signed.\n"]
    value = msgspec.structs.asdict(report) | {"ok": report.ok}
    return Outcome(value, int(not report.ok), head + "".join(lines))


def _policy(settings: Settings, values: argparse.Namespace) -> WitnessPolicy:
    keys = tuple(map(witness_key, values.witness)) or tuple(one.key for one in witnesses_of(settings))
    quorum = values.quorum
    if quorum is None:
        quorum = settings.witness_quorum if keys else 0
    return WitnessPolicy(keys, quorum)


def run_prove(settings: Settings, values: argparse.Namespace) -> Outcome:
    position = values.position if values.request is None else _end_of(settings, values.request)
    with _sealed(settings) as sealed:
        proved = sealed.prove(position)
    return Outcome(proved, text=f"{proved.leaf}\n\n{proved.proof}")


def run_consistency(settings: Settings, values: argparse.Namespace) -> Outcome:
    with _sealed(settings) as sealed:
        return Outcome(sealed.consistency(old_size=values.old_size, size=values.size))


def run_receipt(settings: Settings, values: argparse.Namespace) -> Outcome:
    with open_store(settings) as store, open_pool(settings) as pool:
        sealed = sealed_log(settings, log=store, clock=SystemClock())
        receipts = make_receipts(settings, store=store, pool=pool, sealed=sealed)
        return Outcome(receipts.issue_to_operator(values.request))


def run_verify_receipt(settings: Settings, values: argparse.Namespace) -> Outcome:
    given = values.key or list(filter(None, (settings.receipt_key, settings.seal_key)))
    if not given:
        raise BadArgument("no public key is given, and none is set")
    keys = [key for text in given for key in parse_seal_keys(text).public]
    try:
        data = values.file.read_bytes()
    except OSError as error:
        raise BadArgument(f"cannot read {values.file}: {error.strerror}") from None
    found = check_receipt(data, keys, verify)
    lines = [
        f"Request {found.request_id} was {found.state}: {credits_of(found.charge_nano)} credits.\n",
        *(f"right        {what}\n" for what in found.checked),
        *(f"not checked  {what}\n" for what in found.not_checked),
    ]
    return Outcome(found, text="".join(lines))


def _end_of(settings: Settings, request_id: UUID) -> int:
    """The position of the event that ended a request, by the request log."""
    with open_pool(settings) as pool:
        detail = RequestReader(pool).request(request_id)
    if detail is None:
        raise NotFound("request", request_id)
    return detail.request.last_position


@contextmanager
def _sealed(settings: Settings) -> Iterator[SealedLog]:
    _require_seal(settings)
    with open_store(settings) as store:
        sealed = sealed_log(settings, log=store, clock=SystemClock())
        assert sealed is not None
        yield sealed


def _require_seal(settings: Settings) -> None:
    if not settings.seal_dir or not settings.seal_key:
        raise BadSetting("SEAL_DIR and SEAL_KEY must be set: where the sealed log is, and its public key")


#: Needs no database to be found first.
SEALING_WITHOUT_DATABASE: Final[frozenset[Tool]] = frozenset({run_new_key, run_key, run_verify_receipt})
