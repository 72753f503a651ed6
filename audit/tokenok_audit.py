#!/usr/bin/env python3
"""Audits an export of a Tokenok ledger: one file, nothing but Python 3.11, no code of the product.

    python3 tokenok_audit.py EXPORT --key 'example.com/tokenok+...'    # the operator's published key
    python3 tokenok_audit.py EXPORT --key ... --account ID --month 2026-11
    python3 tokenok_audit.py --help

It checks that the files are what was exported and sealed, applies the posting rules of the export to every event, checks
the invariants of the ledger, and prints a trial balance, what every account was granted and charged, and a result hash.
The hash depends on the content of the export and the question alone: two auditors can compare it.

Exit codes: 0 nothing was found, 1 something is wrong, 2 the export or the arguments cannot be read.

Amounts are integers, nano-credits (1e-9 credit). The log is read once, in its order; memory depends on what is open
(accounts, leases, requests under way), not on the length of the log. Formats: docs/exports.md, docs/sealing.md.
"""

import argparse
import base64
import gc
import gzip
import hashlib
import io
import json
import json.scanner
import marshal
import os
import re
import string
import sys
import tempfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple
from uuid import UUID, uuid5

Event = dict[str, Any]

CHECKS: Final = {
    "E01": "every file is there, unchanged, and the only ones that are",
    "E02": "the manifest says what the files hold",
    "E03": "every line is a stored event in its canonical form",
    "S01": "the log's key has signed the checkpoint",
    "S02": "the tree of the exported lines is the one that was signed",
    "S03": "an event has the place in the tree that its proof says",
    "P01": "the postings of every event sum to zero, and its slices to its amount",
    "P02": "no account with a floor falls below it, after any event",
    "P03": "a lease never holds and charges more than was lent to it",
    "P04": "an account is never charged more than it was granted, less what expired or was taken",
    "P05": "a settled lease has charged, returned and let expire exactly what was lent, once",
    "P06": "nothing follows the end of a lease",
    "P07": "a request is admitted once in the whole log, and charged at most once",
    "P08": "versions of a stream count 1, 2, 3, ...; positions rise",
    "P12": "a charge is what its units cost at its price version and factor, cut to its hold",
    "P15": "of a lot that is over nothing is lent or returned, and of no other does anything expire or go back",
    "P28": "every charge, release and abandonment ends a request that was admitted, with its hold",
    "P30": "the accounts sum to zero and to what the events say",
    "P31": "what leases charge to a hard budget was lent to them, and no window lent more than it has",
    "P32": "credit of payments that went back is frozen, taken and owed as far as it is there, and who owes is lent nothing",
    "L01": "a lease never has more credit than its wallet says",
    "L02": "every event has the fields of its topic, and its topic is known",
    "L03": "an event stands in the stream where it belongs",
    "L04": "a charge is never above its hold, and nothing is granted by no amount",
    "A01": "what is posted was asked for, once, and what had to wait was agreed to by another operator",
    "C01": "a code was issued, it or a demo is used once, and becomes the credit that was promised",
    "C02": "what was decided about a charge after it was made follows from it, once, and is asked for as an adjustment",
    "C03": "an automatic recharge was within its rule and its month's cap, one at a time, and is an order of its account",
    "C04": "what was bought on account was within a limit that two have agreed to, and is owed until it is paid or taken back",
    "B01": "a low balance is told of where it was crossed, once",
    "L05": "closing a month sealed the books as they stood at its end",
}
#: The posting rules that this program was written beside, by their SHA-256. An export with others is refused.
KNOWN_RULES: Final = {
    "d5f15a8ea0326386972a05134a8faa1d0178d99cb71e490c5bfb8f413c46c865": 1,
    "ec84e98e7b440933be88490b412c377ae02d430e5c735b8840e30183c95f86cd": 2,
    "c433fbc6941c54d03f52875a17fa909a7d2f0c0bda81587978fb407feccf374a": 3,
    "4b985c637f641118db05739cf325ba43486a307d88fd9e71e4d7267ae5f37805": 4,
    "d8fe5bf6099ea70258487f462a94e896287b63a633138f23044c4a977f33df67": 5,
}
SHOWN_MAX: Final = 100
AMOUNT_MAX: Final = 2**63 - 1
MILLION: Final = 1_000_000


class Unreadable(Exception):
    """The export, or an argument, cannot be read; nothing can be said about the ledger."""


class Malformed(Exception):
    """An event has not the fields of its topic."""


class Findings:
    """What is wrong: all of it counted, and the first of it kept, in the order of the log."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.kept: list[dict[str, Any]] = []

    def add(self, code: str, subject: str, detail: str, position: int = 0) -> None:
        assert code in CHECKS
        self.counts[code] += 1
        if len(self.kept) < SHOWN_MAX:
            self.kept.append({"code": code, "position": position, "subject": subject, "detail": detail})

    def merge(self, later: "Findings") -> None:
        self.counts.update(later.counts)
        self.kept += later.kept[: SHOWN_MAX - len(self.kept)]


# ------------------------------------------------------------------------------------------------ Ed25519 (RFC 8032)

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE: Final = pow(2, (_P - 1) // 4, _P)
_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64

Point = tuple[int, int, int, int]  # extended coordinates: x = X/Z, y = Y/Z, x*y = T/Z


def _add(a: Point, b: Point) -> Point:
    e = (a[1] - a[0]) * (b[1] - b[0]) % _P
    f = (a[1] + a[0]) * (b[1] + b[0]) % _P
    g = 2 * a[3] * b[3] * _D % _P
    h = 2 * a[2] * b[2] % _P
    w, x, y, z = f - e, h - g, h + g, f + e
    return w * x % _P, y * z % _P, x * y % _P, w * z % _P


def _times(scalar: int, point: Point) -> Point:
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _decompress(data: bytes) -> Point | None:
    """The point of RFC 8032, 5.1.3; none if there is no such point or it is written in another way than the one."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


_BASE: Final = _decompress((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def ed25519_verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is one of `message` by the holder of `public_key`."""
    if len(public_key) != _KEY_BYTES or len(signature) != _SIGNATURE_BYTES:
        return False
    key, commitment = _decompress(public_key), _decompress(signature[:32])
    response = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or response >= _ORDER:
        return False
    assert _BASE
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    left = _times(response, _BASE)
    right = _add(commitment, _times(int.from_bytes(digest, "little") % _ORDER, key))
    same_x = (left[0] * right[2] - right[0] * left[2]) % _P == 0
    return same_x and (left[1] * right[2] - right[1] * left[2]) % _P == 0


# ------------------------------------------------------------------------------------------ signed notes, checkpoints


class Key(NamedTuple):
    """A public key as the operator publishes it: `name+hex id+base64(1 || key)`."""

    name: str
    key_id: bytes
    public: bytes


class Checkpoint(NamedTuple):
    """The root of the tree of the first `size` events, as it was signed."""

    origin: str
    size: int
    root: bytes


def parse_key(text: str) -> Key:
    name, plus, rest = text.strip().partition("+")
    key_id, plus_2, encoded = rest.partition("+")
    data = _unbase64(encoded)
    if not (name and plus and plus_2) or data is None or len(data) != 1 + _KEY_BYTES or data[0] != 1:
        raise Unreadable("this is no Ed25519 key: it must be name+id+base64")
    if key_id != hashlib.sha256(name.encode() + b"\n" + data).digest()[:4].hex():
        raise Unreadable(f"the id of the key of {name} does not fit it")
    return Key(name, bytes.fromhex(key_id), data[1:])


def parse_checkpoint(note: bytes, keys: Sequence[Key], findings: Findings, subject: str) -> Checkpoint:
    """The checkpoint of a signed note; its signature is checked if there are keys.

    Raises:
        Unreadable: it is no signed note with a checkpoint.
    """
    try:
        text, signatures = _open_note(note.decode())
        origin, size, root, end = text.split("\n")
    except ValueError:
        raise Unreadable(f"{subject} is no signed checkpoint") from None
    root_hash = _unbase64(root)
    if (
        end
        or not re.fullmatch("0|[1-9][0-9]{0,18}", size)
        or root_hash is None
        or len(root_hash) != _KEY_BYTES
    ):
        raise Unreadable(f"{subject} is no signed checkpoint")
    if keys:
        _check_signatures(text, signatures, [key for key in keys if key.name == origin], findings, subject)
    return Checkpoint(origin, int(size), root_hash)


def _open_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The signed text, and the signatures by the names of their keys."""
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise ValueError(note)
    signatures = []
    for line in tail[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        data = _unbase64(encoded)
        if dash != "\u2014" or not name or data is None:
            raise ValueError(line)
        signatures.append((name, data))
    return text + "\n", signatures


def _check_signatures(
    text: str, signatures: list[tuple[str, bytes]], keys: list[Key], findings: Findings, subject: str
) -> None:
    """One by the log's key must be there; and none of a key that we know may be wrong."""
    is_signed = False
    for name, data in signatures:
        for key in keys:
            if (name, data[:4]) == (key.name, key.key_id):
                if not ed25519_verifies(key.public, text.encode(), data[4:]):
                    findings.add("S01", subject, f"the signature of {name} is wrong")
                is_signed = True
    if not is_signed:
        findings.add("S01", subject, "no key that was given has signed it")


def _unbase64(text: str) -> bytes | None:
    """The bytes, if `text` is the one way to write them."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


# ------------------------------------------------------------------------------------------ the tree (RFC 6962, 2.1)


def leaf_hash(line: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows leaf by leaf; kept as the perfect subtrees that it consists of, the largest first."""

    def __init__(self) -> None:
        self._peaks: list[bytes] = []
        self.size = 0

    def add(self, leaf: bytes) -> None:
        peaks, size = self._peaks, self.size
        while size & 1:
            leaf = node_hash(peaks.pop(), leaf)
            size >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        digest = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            digest = node_hash(left, digest)
        return digest


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2); none if it has the wrong length."""
    if not 0 <= index < size:
        return None
    last, digest = size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            digest = node_hash(sibling, digest)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        index, last = index >> 1, last >> 1
    return digest if last == 0 else None


def roots_of_consistency(
    first_root: bytes, first: int, second: int, path: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """Both roots that a consistency proof leads to (RFC 9162, 2.1.4.2); none if it cannot be one."""
    if not 0 < first < second or not path:
        return None
    hashes = list(path) if first & (first - 1) else [first_root, *path]
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


# --------------------------------------------------------------------------------------------- the folder of an export


class LinesFile(NamedTuple):
    """One file of lines, as the manifest tells of it."""

    path: Path
    events: int
    first_position: int
    last_position: int
    size: int  #: bytes of the lines, before any compression
    sha256: str


class Export(NamedTuple):
    folder: Path
    sums: dict[str, str]
    files: list[LinesFile]
    events: int
    topics: frozenset[str]
    rules: dict[str, Any]
    rules_sha256: str
    checkpoint: bytes | None
    consistency: bytes | None


def open_export(folder: Path, findings: Findings) -> Export:
    """Read everything but the lines.

    Raises:
        Unreadable: it is no export of a form that this program knows.
    """
    sums = _read_sums(folder, findings)
    manifest = _read_json(folder / "manifest.json")
    if manifest.get("format") != "tokenok-ledger-export/1":
        raise Unreadable("this is no export of a form that this program knows")
    try:
        files, events = _lines_files(folder, manifest["files"])
        rules_path = folder / _plain_name(manifest["posting_rules"]["name"])
        rules, rules_sha256 = _read_json(rules_path), hashlib.sha256(_read(rules_path)).hexdigest()
        if manifest["posting_rules"].get("sha256", rules_sha256) != rules_sha256:
            findings.add("E02", "manifest.json", "names posting rules by another sum")
        topics = frozenset(manifest["topics"])
        _check_manifest(manifest, files, events, findings)
        _check_coverage(folder, sums, findings)
    except (KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"manifest.json is not complete: {error!r}") from None
    return Export(
        folder=folder,
        sums=sums,
        files=files,
        events=events,
        topics=topics,
        rules=rules,
        rules_sha256=rules_sha256,
        checkpoint=_read_if_there(folder / "checkpoint"),
        consistency=_read_if_there(folder / "consistency"),
    )


def _read_sums(folder: Path, findings: Findings) -> dict[str, str]:
    """Of all files; those that are small are compared at once, the lines while they are hashed for the tree."""
    stored = _read(folder / "SHA256SUMS")
    sums = {line[66:]: line[:64] for line in stored.decode(errors="replace").split("\n") if line}
    if "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode() != stored:
        findings.add("E01", "SHA256SUMS", "is not as an export writes it")
    for name in sums:
        _plain_name(name)
    return sums


def _check_coverage(folder: Path, sums: dict[str, str], findings: Findings) -> None:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(there - sums.keys() - {"SHA256SUMS"}):
        findings.add("E01", name, "is in no sums")
    for name in sorted(sums.keys() - there):
        findings.add("E01", name, "is missing")
    for name in sorted(there & sums.keys()):
        if not name.startswith("events-") and hashlib.sha256(_read(folder / name)).hexdigest() != sums[name]:
            findings.add("E01", name, "was changed")


def _lines_files(folder: Path, entries: list[dict[str, Any]]) -> tuple[list[LinesFile], int]:
    files, events = [], 0
    for entry in entries:
        numbers = [entry[name] for name in ("events", "first_position", "last_position", "bytes")]
        if any(type(number) is not int or number < 1 for number in numbers):
            raise TypeError(entry)
        path = folder / _plain_name(entry["name"])
        count, first, last, size = numbers
        files.append(LinesFile(path, count, first, last, size, str(entry["sha256"])))
        events += count
    return files, events


def _check_manifest(
    manifest: dict[str, Any], files: list[LinesFile], events: int, findings: Findings
) -> None:
    first = files[0].first_position if files else 0
    last = files[-1].last_position if files else 0
    told = [manifest[name] for name in ("events", "first_position", "last_position")]
    if told != [events, first, last] or not last <= manifest["until_position"] <= AMOUNT_MAX:
        findings.add("E02", "manifest.json", "its figures are not those of its files")
    names = {file.path.name for file in files}
    if len(names) != len(files) or any(not name.startswith("events-") for name in names):
        findings.add("E02", "manifest.json", "names a file of lines twice, or by another name")


def _plain_name(name: object) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._/-]*", name) or ".." in name:
        raise Unreadable("a file of the export has a name that none has")
    return name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error.strerror}") from None


def _read_if_there(path: Path) -> bytes | None:
    return _read(path) if path.exists() else None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_read(path))
    except (ValueError, RecursionError):
        raise Unreadable(f"{path.name} is no JSON") from None
    if not isinstance(value, dict):
        raise Unreadable(f"{path.name} is no JSON object")
    return value


# ---------------------------------------------------------------------------------------------------- events from lines

_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NUMBER: Final = "[1-9][0-9]{0,18}"
_HEAD: Final = re.compile(
    rf'{{"position":({_NUMBER}),"stream_id":"({_UUID})","version":({_NUMBER}),'
    rf'"topic":"([^"\\\x00-\x1f]+)","recorded_at_us":({_NUMBER}),"state":(?={{)'
).match
_IS_UUID: Final = re.compile(_UUID).fullmatch


class Recorded(NamedTuple):
    position: int
    stream_id: str
    version: int
    topic: str
    event: Event
    recorded_at_us: int


Fields = tuple[int, str, int, str, Event, int]
CHUNK_EVENTS: Final = 1_000


def _refuse_number(text: str) -> float:
    raise ValueError(text)


_parse: Final = json.scanner.make_scanner(
    json.JSONDecoder(parse_constant=_refuse_number)  # type: ignore[arg-type]  # typeshed has the class of the result
)


def _read_line(line: bytes) -> Fields | None:
    """The fields of `Recorded`, if `line` is an event in its canonical form."""
    try:
        text = line.decode()
        head = _HEAD(text)
        if head is None:
            return None
        event, end = _parse(text, head.end())
    except (ValueError, StopIteration, RecursionError):
        return None
    if text[end:] != "}\n":
        return None
    position, stream_id, version, topic, recorded_at_us = head.groups()
    return int(position), stream_id, int(version), topic, event, int(recorded_at_us)


class _Hashing(io.RawIOBase):
    """A file whose bytes are hashed as they are read."""

    def __init__(self, stored: BinaryIO) -> None:
        self._stored = stored
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stored.read(len(buffer))
        buffer[: len(data)] = data
        self.digest.update(data)
        return len(data)


class Scan:
    """Every file once, in order: the bytes that are hashed are those that are replayed."""

    def __init__(
        self, files: Sequence[LinesFile], sums: dict[str, str], cuts: set[int], leaves: set[int]
    ) -> None:
        self._files = files
        self._sums = sums
        self._cuts = cuts
        self._wanted = leaves
        self._tree = Tree()
        self.findings = Findings()
        self.roots: dict[int, bytes] = {0: self._tree.root()}  #: of the sizes that were asked for
        self.leaves: dict[int, bytes] = {}  #: hashes of those that were asked for, by number

    def chunks(self) -> Iterator[list[Fields]]:
        """All events; what is none is told of.

        Raises:
            Unreadable: a file cannot be read.
        """
        for file in self._files:
            try:
                with file.path.open("rb") as stored:
                    raw = _Hashing(stored)
                    yield from self._read(file, raw)
                    while raw.read(65_536):
                        pass
            except (OSError, EOFError, zlib.error) as error:
                raise Unreadable(f"{file.path.name} cannot be read: {error}") from None
            if raw.digest.hexdigest() != self._sums.get(file.path.name):
                self.findings.add("E01", file.path.name, "was changed")

    def _read(self, file: LinesFile, raw: _Hashing) -> Iterator[list[Fields]]:
        buffered = io.BufferedReader(raw, 1024 * 1024)
        lines = gzip.GzipFile(fileobj=buffered) if file.path.suffix == ".gz" else buffered
        digest, size, count, first, last = hashlib.sha256(), 0, 0, 0, 0
        chunk: list[Fields] = []
        for line in lines:
            digest.update(line)
            size += len(line)
            count += 1
            self._add_leaf(line)
            fields = _read_line(line)
            if fields is None:
                self.findings.add("E03", file.path.name, f"line {count} is no event")
                continue
            first, last = first or fields[0], fields[0]
            chunk.append(fields)
            if len(chunk) == CHUNK_EVENTS:
                yield chunk
                chunk = []
        yield chunk
        told = (file.events, file.first_position, file.last_position, file.size, file.sha256)
        if told != (count, first, last, size, digest.hexdigest()):
            self.findings.add("E02", file.path.name, "its lines are not those that the manifest tells of")

    def _add_leaf(self, line: bytes) -> None:
        tree, leaf = self._tree, leaf_hash(line[:-1])
        if tree.size in self._wanted:
            self.leaves[tree.size] = leaf
        tree.add(leaf)
        if tree.size in self._cuts:
            self.roots[tree.size] = tree.root()


def read_events(scan: Scan, *, jobs: int) -> Iterator[Recorded]:
    """The events of a scan, which runs in a process of its own if there may be several; `scan` is complete at the end.

    Raises:
        Unreadable: a file cannot be read.
    """
    chunks = _from_process(scan) if jobs > 1 else scan.chunks()
    for chunk in chunks:
        for fields in chunk:
            yield Recorded(*fields)


def _from_process(scan: Scan) -> Iterator[list[Fields]]:
    context = get_context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_scan_into, args=(scan, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        while isinstance(message := marshal.loads(ours.recv_bytes()), list):  # noqa: S302  # from our own process
            yield message
    except EOFError:
        raise Unreadable("the process that reads the files has died") from None
    finally:
        ours.close()
        process.terminate()
        process.join()
    unreadable, scan.roots, scan.leaves, counts, scan.findings.kept = message
    if unreadable:
        raise Unreadable(unreadable)
    scan.findings.counts.update(counts)


def _scan_into(scan: Scan, connection: Connection) -> None:
    """The chunks, then how the scan ended."""
    gc.disable()
    unreadable = ""
    try:
        for chunk in scan.chunks():
            connection.send_bytes(marshal.dumps(chunk))
    except Unreadable as error:
        unreadable = str(error)
    findings = scan.findings
    end = (unreadable, scan.roots, scan.leaves, dict(findings.counts), findings.kept)
    connection.send_bytes(marshal.dumps(end))


def amount(event: Event, name: str) -> int:
    """An amount in nano-credits, or another number that is not negative."""
    value = event[name]
    if type(value) is not int or not 0 <= value <= AMOUNT_MAX:
        raise Malformed(f"{name} is no amount")
    return value


def text_of(event: Event, name: str) -> str:
    value = event[name]
    if type(value) is not str:
        raise Malformed(f"{name} is no text")
    return value


def id_of(event: Event, name: str) -> str:
    value = event[name]
    if type(value) is not str or not _IS_UUID(value):
        raise Malformed(f"{name} is no id")
    return value


def slices_of(event: Event, name: str) -> list[Event]:
    """A list of slices `[lot_id, amount_nano, ...]`; there is none if the event has no such field.

    A third member that is text is the source of the lot.
    """
    slices = event.get(name) or ()
    if type(slices) is not list and slices != ():
        raise Malformed(f"{name} is no list")
    found = []
    for one in slices:
        if type(one) is not list or len(one) < 2:  # lot and amount
            raise Malformed(f"{name} has something that is no slice")
        part = {"lot_id": one[0], "amount_nano": one[1]}
        if len(one) > 2 and type(one[2]) is str:
            part["source"] = one[2]
        id_of(part, "lot_id")
        amount(part, "amount_nano")
        found.append(part)
    return found


def sum_of_slices(event: Event, name: str) -> int:
    return sum(amount(part, "amount_nano") for part in slices_of(event, name))


# ------------------------------------------------------------------------------------------------- the posting rules


class Account(NamedTuple):
    """A kind of account. `text` and `fields` make the name of one; customers' are those that owe credit to one."""

    kind: str
    code: int
    side: str
    sign: int  #: 1 for the side of credit, which is the positive one here
    floor: int  #: as far as no amount goes if there is none
    text: str
    fields: tuple[str, ...]
    pick: Callable[[Event], object]
    is_customers: bool

    def name(self, values: Event) -> str:
        return self.text % self.pick(values)


class Move(NamedTuple):
    """Credit goes from one account to the other, once, or for each slice of a list."""

    debit: Account
    credit: Account
    amount: str
    each: str | None


class Rules(NamedTuple):
    version: int
    accounts: dict[str, Account]
    moves: dict[str, list[Move]]


def parse_rules(stored: dict[str, Any]) -> Rules:
    """The posting rules of an export.

    Raises:
        Unreadable: they are of no form that this program knows.
    """
    try:
        accounts = {kind: _account(kind, stored["accounts"][kind]) for kind in stored["accounts"]}
        moves = {
            topic: [_rule(one, accounts) for one in entries] for topic, entries in stored["rules"].items()
        }
        return Rules(int(stored["version"]), accounts, moves)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(
            f"the posting rules are of a form that this program does not know: {error!r}"
        ) from None


def require_known(rules: Rules, sha256: str, told: Sequence[str]) -> None:
    """Whoever may choose the rules may move anything: they must be known here, or looked at by the auditor.

    Raises:
        Unreadable: they are neither.
    """
    if KNOWN_RULES.get(sha256) != rules.version and sha256 not in told:
        raise Unreadable(
            f"the posting rules of the export are not known to this program; sha256 {sha256}. "
            "Read them, and say --rules with this sum to have them applied"
        )


def _rule(stored: dict[str, Any], accounts: dict[str, Account]) -> Move:
    each = stored.get("each")
    return Move(
        accounts[stored["debit"]],
        accounts[stored["credit"]],
        str(stored["amount"]),
        None if each is None else str(each),
    )


def _account(kind: str, stored: dict[str, Any]) -> Account:
    pieces = list(string.Formatter().parse(stored["name"]))
    fields = tuple(field for _, field, _, _ in pieces if field is not None)
    text = "".join(
        literal.replace("%", "%%") + ("" if field is None else "%s") for literal, field, _, _ in pieces
    )
    side, floor = stored["side"], stored["floor"]
    sign = {"debit": -1, "credit": 1}[side]
    if floor is None:
        floor = -(2**200)
    is_customers = side == "credit" and "account_id" in fields
    pick: Callable[[Event], object] = itemgetter(*fields) if fields else lambda _: ()
    return Account(kind, int(stored["code"]), side, sign, int(floor), text, fields, pick, is_customers)


class Books:
    """Every account that is not zero, positive in credit; and what went in and out of customers' hands."""

    def __init__(self, rules: Rules, statements: "Statements", findings: Findings) -> None:
        self._moves = rules.moves
        self._statements = statements
        self._findings = findings
        self.periods = Periods(rules.version, findings)
        self.balances: dict[str, int] = {}
        self.kinds: dict[str, int] = dict.fromkeys(rules.accounts, 0)

    def post(self, at: Recorded) -> int:
        """Post one event; returns by how much customers have more than before.

        Raises:
            KeyError, Malformed: a field is missing, or is no amount.
        """
        moves = self._moves.get(at.topic)
        if moves is None:
            return 0
        self._statements.book(at.recorded_at_us)
        self.periods.book(at, self.balances)
        values, gained_nano = at.event, 0
        values.setdefault("lease_id", at.stream_id)
        touched: list[tuple[str, Account]] = []
        for move in moves:
            if move.each is None:
                gained_nano += self._move(at, move, values, touched)
                continue
            for part in slices_of(values, move.each):
                gained_nano += self._move(at, move, {**values, **part}, touched)
        self._look_at(at, touched)
        return gained_nano

    def _move(self, at: Recorded, move: Move, values: Event, touched: list[tuple[str, Account]]) -> int:
        nano = amount(values, move.amount) if move.amount in values else 0
        if not nano:
            return 0
        debit, credit, balances = move.debit.name(values), move.credit.name(values), self.balances
        balances[debit] = balances.get(debit, 0) - nano
        balances[credit] = balances.get(credit, 0) + nano
        self.kinds[move.debit.kind] -= nano
        self.kinds[move.credit.kind] += nano
        touched += ((debit, move.debit), (credit, move.credit))
        if move.debit.is_customers == move.credit.is_customers:
            return 0
        gained_nano = nano if move.credit.is_customers else -nano
        other = move.debit if move.credit.is_customers else move.credit
        self._statements.take(at, values, other.kind, gained_nano)
        return gained_nano

    def _look_at(self, at: Recorded, touched: list[tuple[str, Account]]) -> None:
        """After the whole event; an account that is zero is forgotten."""
        balances = self.balances
        for name, account in touched:
            balance_nano = balances.get(name, 0)
            if balance_nano * account.sign < account.floor:
                self._findings.add("P02", name, f"stands at {balance_nano}", at.position)
            if not balance_nano:
                balances.pop(name, None)

    def sha256(self) -> str:
        """The digest that `tokenok ledger verify` prints as well."""
        return digest_of(self.balances)


def digest_of(balances: dict[str, int]) -> str:
    """Over a line for each account that is not zero, in the order of their names."""
    lines = "".join(f"{name}\t{nano}\n" for name, nano in sorted(balances.items()) if nano)
    return hashlib.sha256(lines.encode()).hexdigest()


class Sealed(NamedTuple):
    """The books at the end of a month: the last movement in it, accounts that are not zero, and their digest."""

    position: int
    accounts: int
    trial_balance_sha256: str


class Periods:
    """What the books stood at when each month of UTC ended; and the closings of months, which say the same."""

    CLOSED: Final = "period.closed.v1"
    TIME_US_MAX: Final = 253_370_764_800 * MILLION  #: the year 9999, behind which Python knows no months

    def __init__(self, rules_version: int, findings: Findings) -> None:
        self._rules_version = rules_version
        self._findings = findings
        self._ends: list[tuple[int, Sealed]] = []
        self._position = self._booked_us = self._until_us = 0
        self.closed: list[dict[str, Any]] = []

    def book(self, at: Recorded, balances: dict[str, int]) -> None:
        """Something is about to move; the first of a month shows the books as the months before it left them."""
        self._booked_us = max(self._booked_us, min(at.recorded_at_us, self.TIME_US_MAX))
        if self._booked_us >= self._until_us:
            if self._position:
                self._ends.append((self._until_us, self._now(balances)))
            time = datetime.fromtimestamp(self._booked_us // MILLION, UTC)
            self._until_us = month_of(time.year, time.month)[1]
        self._position = at.position

    def check(self, at: Recorded, balances: dict[str, int]) -> None:
        """A month was closed.

        Raises:
            KeyError, Malformed: a field is missing, or is of another kind.
        """
        event, period = at.event, text_of(at.event, "period")
        match = re.fullmatch("([1-9][0-9]{3})-(0[1-9]|1[0-2])", period)
        if not match:
            raise Malformed("period is no month")
        until_us = month_of(int(match[1]), int(match[2]))[1]
        told = Sealed(
            amount(event, "position"), amount(event, "accounts"), text_of(event, "trial_balance_sha256")
        )
        found = self._at(until_us, balances)
        faults = [
            f"sealed {name} {one}, the log has {other}"
            for name, one, other in zip(Sealed._fields, told, found, strict=True)
            if one != other
        ]
        if amount(event, "until_us") != until_us:
            faults.append("until_us is not the end of the month")
        if amount(event, "rules_version") > self._rules_version:
            faults.append(
                f"sealed by posting rules {event['rules_version']}, the export has {self._rules_version}"
            )
        if faults:
            self._findings.add("L05", period, "; ".join(faults), at.position)
        self.closed.append({"period": period, **told._asdict(), "is_right": not faults})

    def _at(self, until_us: int, balances: dict[str, int]) -> Sealed:
        if self._booked_us < until_us and self._position:
            return self._now(balances)
        ends = [sealed for end_us, sealed in self._ends if end_us <= until_us]
        return ends[-1] if ends else Sealed(0, 0, digest_of({}))

    def _now(self, balances: dict[str, int]) -> Sealed:
        return Sealed(self._position, sum(map(bool, balances.values())), digest_of(balances))


# ------------------------------------------------------------------------------------ what customers had, by line


class Question(NamedTuple):
    """One account, and a part of the time: Unix microseconds, the end is not in it."""

    account_id: str
    from_us: int
    until_us: int


class Totals:
    """Of one account, since the beginning of the log."""

    __slots__ = ("adjusted_nano", "balance_nano", "charged_nano", "expired_nano", "granted_nano", "held_nano")

    def __init__(self) -> None:
        self.granted_nano = self.charged_nano = self.expired_nano = self.adjusted_nano = 0
        self.balance_nano = self.held_nano = 0

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


class Statements:
    """Totals of every account, and the one statement that was asked for.

    A movement is booked when the log recorded it, never before the one before it: so a period is a range of positions.
    """

    GRANTED: Final = "wallet.credit-lot-granted.v1"

    def __init__(self, question: Question | None, findings: Findings) -> None:
        self._question = question
        self._findings = findings
        self.totals: dict[str, Totals] = {}
        self._booked_us = 0
        self.opening_nano = 0
        self.lines: dict[
            tuple[str, str, str], list[int]
        ] = {}  #: movements and nano-credits, by kind, topic, account
        self.keys: dict[str, list[int]] = {}  #: charges and nano-credits, by key

    def book(self, recorded_at_us: int) -> None:
        """What is taken from now on moved at this time."""
        self._booked_us = max(self._booked_us, recorded_at_us)

    def take(self, at: Recorded, values: Event, other_kind: str, gained_nano: int) -> None:
        """The customer has so much more, or less; `other_kind` is the account that it came from or went to."""
        account_id = text_of(values, "account_id")
        totals = self.totals.get(account_id)
        if totals is None:
            totals = self.totals[account_id] = Totals()
        if other_kind == "usage":
            kind = "charged"
            totals.charged_nano -= gained_nano
        elif at.topic == self.GRANTED:
            kind = "granted"
            totals.granted_nano += gained_nano
        elif other_kind == "breakage":
            kind = "expired"
            totals.expired_nano -= gained_nano
        else:
            kind = "adjusted"
            totals.adjusted_nano += gained_nano
        totals.balance_nano += gained_nano
        if totals.balance_nano < 0:
            self._findings.add("P04", account_id, f"has {totals.balance_nano}", at.position)
        if self._question and self._question.account_id == account_id:
            self._answer(at, (kind, at.topic, other_kind), gained_nano)

    def _answer(self, at: Recorded, line: tuple[str, str, str], gained_nano: int) -> None:
        question = self._question
        assert question
        if self._booked_us < question.from_us:
            self.opening_nano += gained_nano
        elif self._booked_us < question.until_us:
            _count(self.lines, line, gained_nano)
            if line[0] == "charged" and isinstance(at.event.get("key_id"), str):
                _count(self.keys, at.event["key_id"], gained_nano)

    def statement(self) -> dict[str, Any] | None:
        """Opening, lines and closing."""
        if self._question is None:
            return None
        moved_nano = sum(nano for _, nano in self.lines.values())
        return {
            "account_id": self._question.account_id,
            "from_us": self._question.from_us,
            "until_us": self._question.until_us,
            "opening_nano": self.opening_nano,
            "lines": [
                {"kind": kind, "topic": topic, "account": other, "movements": movements, "amount_nano": nano}
                for (kind, topic, other), (movements, nano) in sorted(self.lines.items())
            ],
            "keys": [
                {"key_id": key_id, "charges": entries, "charged_nano": -nano}
                for key_id, (entries, nano) in sorted(self.keys.items())
            ],
            "closing_nano": self.opening_nano + moved_nano,
        }


def _count(sums: dict[Any, list[int]], name: object, nano: int) -> None:
    entry = sums.setdefault(name, [0, 0])
    entry[0] += 1
    entry[1] += nano


# ------------------------------------------------------------------------------------------------------- what it costs


class Price(NamedTuple):
    """The price of one alias in one list, as a table: nano-credits per million of each unit."""

    tiers: list[
        tuple[int, dict[str, int]]
    ]  #: tables by the length of the prompt above which they hold, longest first
    pictures: dict[
        tuple[str, str], int
    ]  #: of images by size and quality; what is not in it costs what any image does
    markup_ppm: int
    factors_ppm: frozenset[int]


class Ratings:
    """Rates every charge again, exactly, by the price lists in the log."""

    STREAM: Final = "5b2f6f0e-31a4-5d7c-8f0b-9c1d2e3f4a05"

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._prices: dict[tuple[int, str], Price] = {}

    def publish(self, at: Recorded) -> None:
        if at.stream_id != self.STREAM:
            self._findings.add("L03", at.stream_id, "is not the price list", at.position)
            return
        entries, markup_ppm = at.event["entries"], amount(at.event, "markup_ppm")
        try:
            for alias, stored in entries.items():
                tiers, pictures = _tiers(stored), _pictures(stored)
                self._prices[at.version, alias] = Price(tiers, pictures, markup_ppm, _factors_ppm(stored))
        except (TypeError, AttributeError):
            raise Malformed("entries are no prices") from None

    def check(self, at: Recorded) -> None:
        event, rated_nano = at.event, self._rated_nano(at)
        if rated_nano is None:
            return
        charge_nano = min(rated_nano, amount(event, "hold_nano"))
        told = amount(event, "charge_nano"), amount(event, "shortfall_nano")
        expected = charge_nano, rated_nano - charge_nano
        if told != expected:
            self._tell(at, f"charged and bore {told}, should be {expected}")

    def check_late(self, at: Recorded) -> None:
        """What usage that was told late costs."""
        rated_nano, told_nano = self._rated_nano(at), amount(at.event, "rated_nano")
        if rated_nano not in {None, told_nano}:
            self._tell(at, f"is rated at {told_nano}, should be {rated_nano}")

    def _rated_nano(self, at: Recorded) -> int | None:
        event = at.event
        price = self._prices.get((amount(event, "price_version"), text_of(event, "alias")))
        if price is None:
            self._tell(at, "has no price in its version")
            return None
        factor_ppm = amount(event, "factor_ppm") if event.get("factor_ppm") else MILLION
        if factor_ppm not in price.factors_ppm:
            self._tell(at, f"factor {factor_ppm} is not one of its price")
        return half_even(cost_of(event["units"], price) * price.markup_ppm * factor_ppm, MILLION**3)

    def _tell(self, at: Recorded, detail: str) -> None:
        self._findings.add("P12", f"request {at.event['request_id']}", detail, at.position)


def half_even(numerator: int, denominator: int) -> int:
    """The nearest integer of a fraction that is not negative; of two the even one."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole & 1))


_TOKENS: Final = ("input", "cached_input", "cache_write", "output")
_PROMPT: Final = ("input", "cached_input", "cache_write", "cache_write_long")
_LOOKS: Final = ("image_size", "image_quality")
_OTHERS: Final = {
    "requests": "request",
    "images": "image",
    "audio_ms": "audio_ms",
    "characters": "character",
    "searches": "search",
}


def _tiers(stored: Event) -> list[tuple[int, dict[str, int]]]:
    """A long prompt puts all tokens of its request into a tier. What is kept longer costs what any written token does."""
    others = {
        unit: amount(stored, f"{priced}_nano_per_million")
        for unit, priced in _OTHERS.items()
        if stored.get(f"{priced}_nano_per_million") is not None
    }
    tiers = []
    for above, tokens in [
        (-1, stored),
        *((amount(one, "above_input_tokens"), one) for one in stored.get("tiers", ())),
    ]:
        table = {name: amount(tokens, f"{name}_nano_per_million") for name in _TOKENS}
        long = "cache_write_long_nano_per_million"
        table["cache_write_long"] = table["cache_write"] if tokens.get(long) is None else amount(tokens, long)
        tiers.append((above, table | others))
    return tiers[::-1]


def _look(stored: Event, size: str, quality: str) -> tuple[str, str]:
    """Of images; what is not named stands for any."""
    return (
        text_of(stored, size) if size in stored else "",
        text_of(stored, quality) if quality in stored else "",
    )


def _pictures(stored: Event) -> dict[tuple[str, str], int]:
    return {
        _look(row, "size", "quality"): amount(row, "nano_per_million")
        for row in reversed(stored.get("pictures", ()))
    }


def _factors_ppm(stored: Event) -> frozenset[int]:
    """Every factor that an hour and a service tier make together, each rounded up to a millionth."""
    hours = [MILLION, *(amount(window, "factor_ppm") for window in stored.get("windows", ()))]
    tiers = [MILLION, *stored.get("service_tiers", {}).values()]
    return frozenset(-(-hour * tier // MILLION) for hour in hours for tier in tiers)


def cost_of(units: object, price: Price) -> int:
    """Nano-credits times a million, before any factor. A request counts as one if nothing else is said."""
    if type(units) is not dict:
        raise Malformed("units are no units")
    prompt = sum(amount(units, name) for name in _PROMPT if name in units) if len(price.tiers) > 1 else 0
    table = next(table for above, table in price.tiers if prompt > above)
    total = 0 if "requests" in units else table.get("requests", 0)
    for name, count in units.items():
        if name in _LOOKS:
            continue
        if type(count) is not int or count < 0:
            raise Malformed(f"{name} is no number of units")
        total += count * table.get(name, 0)
    if price.pictures and "images" in units:
        each = price.pictures.get(_look(units, *_LOOKS), table.get("images", 0))
        total += amount(units, "images") * (each - table.get("images", 0))
    return total


# ----------------------------------------------------------------------------------------------- streams and their ids


class Unique:
    """Finds ids that come twice. They wait in temporary files beyond a few megabytes, and are compared at the end."""

    BUCKETS: Final = 64
    BUCKET_BYTES: Final = 256 * 1024

    def __init__(self) -> None:
        self._buffers = [bytearray() for _ in range(self.BUCKETS)]
        self._files: dict[int, BinaryIO] = {}
        self.count = 0

    def take(self, id_text: str) -> None:
        raw = bytes.fromhex(id_text.replace("-", ""))
        number = raw[15] % self.BUCKETS
        buffer = self._buffers[number]
        buffer += raw
        self.count += 1
        if len(buffer) >= self.BUCKET_BYTES:
            if number not in self._files:
                self._files[number] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the object
            self._files[number].write(buffer)
            buffer.clear()

    def twice(self) -> list[str]:
        """The ids that were taken more than once, sorted."""
        found: list[str] = []
        for number, buffer in enumerate(self._buffers):
            data = bytes(buffer)
            if number in self._files:
                self._files[number].seek(0)
                data = self._files[number].read() + data
            seen: set[bytes] = set()
            for start in range(0, len(data), 16):
                raw = data[start : start + 16]
                if raw in seen:
                    found.append(str(UUID(bytes=raw)))
                seen.add(raw)
        return sorted(set(found))


class Order:
    """Positions rise; versions of each stream count from 1. A stream that has ended is kept as its id alone."""

    ENDINGS: Final = frozenset({"lease.closed.v1", "lease.fenced.v1"})

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._versions: dict[str, int] = {}
        self._begun = Unique()
        self.position = 0
        self.events = 0

    def take(self, at: Recorded) -> None:
        self.events += 1
        if at.position <= self.position:
            self._findings.add("P08", at.stream_id, f"comes after position {self.position}", at.position)
        self.position = at.position
        expected = self._versions.get(at.stream_id, 0) + 1
        if at.version != expected:
            detail = f"version {at.version}, should be {expected}"
            self._findings.add("P08", at.stream_id, detail, at.position)
        if at.version == 1:
            self._begun.take(at.stream_id)
        if at.topic in self.ENDINGS:
            self._versions.pop(at.stream_id, None)
        else:
            self._versions[at.stream_id] = at.version

    def finish(self) -> None:
        for stream_id in self._begun.twice():
            self._findings.add("P06", stream_id, "begins again after its end")


# ---------------------------------------------------------------------------------------------------- wallets and leases


class Lease:
    """Both sides of a lease: what the wallet lent, and what the stream of the lease has and spent."""

    __slots__ = (
        "account_id", "charged_nano", "charges", "ended", "has_nano", "held_nano", "holds", "is_open", "lent_nano",
        "owner", "settled",
    )  # fmt: skip

    def __init__(self) -> None:
        self.account_id = ""
        self.owner: object = None
        self.lent_nano: int | None = None  #: by the wallet
        self.is_open = False
        self.has_nano = self.charged_nano = self.charges = self.held_nano = 0
        self.holds: dict[str, int] = {}
        self.ended: tuple[object, ...] | None = None  #: outcome, version, charged, charges
        self.settled: tuple[object, ...] | None = None

    @property
    def free_nano(self) -> int:
        return self.has_nano - self.charged_nano - self.held_nano


class Budgets:
    """Follows the shares of hard budgets: what was lent to which lease, and what leases hold and charge of it."""

    HOUR_US: Final = 3_600_000_000

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._hard: dict[str, int] = {}  #: how far back a window reaches, by budget
        self._used: dict[str, dict[int, int]] = {}  #: lent or spent, by budget and bucket
        self._lent: dict[tuple[str, str, int], int] = {}  #: by lease, budget and bucket
        self._has: dict[tuple[str, str, int], int] = {}  #: what a lease counts on
        self._free: dict[tuple[str, str, int], int] = {}  #: of that, what it neither charged nor holds
        self._charged: dict[tuple[str, str, int], int] = {}
        self._open: dict[str, tuple[int, list[tuple[str, str, int]]]] = {}  #: holds that count in budgets

    def set(self, at: Recorded) -> int:
        if at.event["enforcement"] == "hard":
            window = at.event["window"]
            hours = window.get("hours", 0) if window["kind"] == "rolling" else 1
            self._hard[id_of(at.event, "budget_id")] = (hours - 1) * self.HOUR_US
        return 0

    def removed(self, _: Recorded) -> int:
        return 0

    def hold(self, at: Recorded, request_id: str, hold_nano: int) -> None:
        named = [(at.stream_id, *_bucket_of(one)) for one in at.event["budgets"]]
        of_shares = [of for of in named if of[1] in self._hard]
        self._open[request_id] = hold_nano, of_shares
        for of in of_shares:
            self._move(at, of, -hold_nano)

    def end_hold(self, at: Recorded, request_id: str, charge_nano: int) -> None:
        hold_nano, of_shares = self._open.pop(request_id, (0, []))
        for of in of_shares:
            self._charged[of] = self._charged.get(of, 0) + charge_nano
            self._move(at, of, hold_nano - charge_nano)

    def raised(self, at: Recorded) -> int:
        self._resize(at, (at.stream_id, *_bucket_of(at.event["bucket"])), amount(at.event, "amount_nano"))
        return 0

    def given_back(self, at: Recorded) -> int:
        self._resize(at, (at.stream_id, *_bucket_of(at.event["bucket"])), -amount(at.event, "amount_nano"))
        return 0

    def granted(self, at: Recorded) -> int:
        of, budget_nano = self._of(at), amount(at.event, "budget_nano")
        self._lend(at, of, amount(at.event, "amount_nano"))
        reach_us, used = self._hard.get(of[1]), self._used[of[1]]
        if reach_us is None:
            self._find(at, f"lends of {of[1]}, which is no hard budget")
            return 0
        for end_us in [one for one in used if 0 <= one - of[2] <= reach_us]:
            used_nano = sum(nano for one, nano in used.items() if 0 <= end_us - one <= reach_us)
            if used_nano > budget_nano:
                self._find(at, f"has lent {used_nano} of {of[1]}, which has {budget_nano}")
        return 0

    def returned(self, at: Recorded) -> int:
        self._lend(at, self._of(at), -amount(at.event, "amount_nano"))
        return 0

    def settled(self, at: Recorded) -> int:
        of = self._of(at)
        told = amount(at.event, "charged_nano"), amount(at.event, "returned_nano")
        charged_nano, lent_nano = self._charged.pop(of, 0), self._lent.pop(of, 0)
        self._has.pop(of, None)
        self._free.pop(of, None)
        self._use(of, -told[1])
        if told != (charged_nano, lent_nano - charged_nano):
            self._find(at, f"settles {told} of {of[1]}, the lease charged {charged_nano} of {lent_nano}")
        return 0

    def _of(self, at: Recorded) -> tuple[str, str, int]:
        event = at.event
        return id_of(event, "lease_id"), id_of(event, "budget_id"), amount(event, "bucket_us")

    def _lend(self, at: Recorded, of: tuple[str, str, int], nano: int) -> None:
        self._lent[of] = self._lent.get(of, 0) + nano
        self._use(of, nano)
        self._resize(at, of, 0)

    def _use(self, of: tuple[str, str, int], nano: int) -> None:
        used = self._used.setdefault(of[1], {})
        used[of[2]] = used.get(of[2], 0) + nano

    def _resize(self, at: Recorded, of: tuple[str, str, int], nano: int) -> None:
        has_nano, lent_nano = self._has.get(of, 0) + nano, self._lent.get(of, 0)
        self._has[of] = has_nano
        self._move(at, of, nano)
        if has_nano > lent_nano:
            self._find(at, f"counts on {has_nano} of {of[1]}, was lent {lent_nano}")

    def _move(self, at: Recorded, of: tuple[str, str, int], nano: int) -> None:
        free_nano = self._free[of] = self._free.get(of, 0) + nano
        if free_nano < 0:
            self._find(at, f"holds {-free_nano} more than its share of {of[1]}")

    def _find(self, at: Recorded, detail: str) -> None:
        self._findings.add("P31", at.stream_id, detail, at.position)


def _bucket_of(value: object) -> tuple[str, int]:
    """`[budget_id, start_us]`."""
    match value:
        case [str(budget_id), int(start_us)]:
            return budget_id, start_us
        case _:
            raise Malformed("a bucket of a budget is [id, time]")


class Adjustments:
    """Who asked for what, and who agreed. What is posted or denied is forgotten."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._asked: dict[str, tuple[Event, str | None]] = {}  #: with who agreed

    def requested(self, at: Recorded) -> int:
        adjustment_id = id_of(at.event, "adjustment_id")
        if at.version != 1 or adjustment_id in self._asked:
            self._find(at, "is asked for twice")
        self._asked[adjustment_id] = (at.event, None)
        return 0

    def decided(self, at: Recorded) -> int:
        adjustment_id, by = id_of(at.event, "adjustment_id"), text_of(at.event, "actor")
        event, agreed = self._asked.pop(adjustment_id, ({"waits": False}, None))
        if event["waits"] is not True or agreed is not None:
            self._find(at, "decides about what does not wait")
        elif by == event["actor"] or not by.startswith("operator:"):
            self._find(at, f"{by} decides about what {event['actor']} asked for")
        elif at.topic == "adjustment.approved.v1":
            self._asked[adjustment_id] = (event, by)
        return 0

    def posted(self, at: Recorded, said: tuple[object, ...]) -> None:
        """`said` is the kind, the account, and the amount or the lot."""
        adjustment_id = id_of(at.event, "adjustment_id")
        event, agreed = self._asked.pop(adjustment_id, ({}, None))
        if not event:
            self._find(at, f"posts {adjustment_id}, which nobody asked for, or again")
            return
        if event["waits"] is not False and agreed is None:
            self._find(at, f"posts {adjustment_id}, which waits for another operator")
        what = event["lot_id"] if event["kind"] == "void" else event["amount_nano"]
        wanted = event["kind"], event["account_id"], what, event["actor"], agreed
        if (*said, at.event["requested_by"], at.event.get("approved_by")) != wanted:
            self._find(at, f"posts {adjustment_id} in another way than was asked for and agreed to")

    def finish(self) -> None:
        """What does not wait is posted."""
        for adjustment_id, (event, agreed) in sorted(self._asked.items()):
            if event["waits"] is not True or agreed is not None:
                self._findings.add("A01", adjustment_id, "was never posted")

    def _find(self, at: Recorded, detail: str) -> None:
        self._findings.add("A01", at.stream_id, detail, at.position)


class Codes:
    """Codes until they are redeemed, and redemptions and demos until they are credited."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._batches: dict[str, Event] = {}
        self._left: dict[str, int] = {}  #: by batch, how many of its codes are still to come
        self._codes: dict[str, str] = {}  #: the batch of each code that is not redeemed, by the code's stream
        self._due: dict[str, tuple[str, int]] = {}  #: by lot: the account, and the amount
        self._demos: set[str] = set()  #: lots of these that no batch counts
        self._counted: set[str] = set()  #: lots

    def batch(self, at: Recorded) -> int:
        batch_id = id_of(at.event, "batch_id")
        self._check(at, at.stream_id == str(uuid5(UUID(batch_id), "code-batch")), "is of another batch")
        self._check(at, batch_id not in self._batches, "begins a batch twice")
        self._batches[batch_id], self._left[batch_id] = at.event, amount(at.event, "count")
        return 0

    def issued(self, at: Recorded) -> int:
        batch_id = id_of(at.event, "batch_id")
        self._left[batch_id] = self._left.get(batch_id, 0) - 1
        self._check(at, self._left[batch_id] >= 0 and at.version == 1, "is a code more than its batch has")
        self._codes[at.stream_id] = batch_id
        return 0

    def redeemed(self, at: Recorded) -> int:
        batch_id, lot_id = id_of(at.event, "batch_id"), id_of(at.event, "lot_id")
        batch = self._batches.get(batch_id)
        if batch is None or self._codes.pop(at.stream_id, None) != batch_id:
            self._findings.add("C01", at.stream_id, "redeems what is no good code of its batch", at.position)
            return 0
        until_us = batch.get("redeem_until_us")
        in_time = until_us is None or amount(at.event, "occurred_us") < amount(batch, "redeem_until_us")
        self._check(at, in_time, "redeems after the batch's time")
        self._due[lot_id] = (id_of(at.event, "account_id"), amount(batch, "amount_nano"))
        return 0

    def demo(self, at: Recorded) -> int:
        account_id, lot_id = id_of(at.event, "account_id"), id_of(at.event, "lot_id")
        is_first = at.version == 1 and at.stream_id == str(uuid5(UUID(account_id), "demo"))
        self._check(at, is_first, f"is not the one demo of {account_id}")
        self._due[lot_id] = (account_id, amount(at.event, "amount_nano"))
        self._demos.add(lot_id)
        return 0

    def counted(self, at: Recorded) -> int:
        batch_id, account_id = id_of(at.event, "batch_id"), id_of(at.event, "account_id")
        stream_id = str(uuid5(UUID(batch_id), f"redemptions/{account_id}"))
        self._check(at, at.stream_id == stream_id, f"is not the count of {account_id}")
        batch = self._batches.get(batch_id)
        within = batch is not None and at.version <= amount(batch, "per_account")
        self._check(at, within, f"lets {account_id} redeem more of the batch than it may")
        self._counted.add(id_of(at.event, "lot_id"))
        return 0

    def credited(self, at: Recorded) -> None:
        """A grant; it may be of a code."""
        lot_id = id_of(at.event, "lot_id")
        due = self._due.pop(lot_id, None)
        if due is not None:
            said = id_of(at.event, "account_id"), amount(at.event, "amount_nano")
            fits = said == due and at.event["source"] == "promo"
            self._check(at, fits, f"grants {lot_id}, which is not what was promised")
            self._check(at, lot_id in self._counted | self._demos, f"grants {lot_id}, which was not counted")
            self._counted.discard(lot_id)
            self._demos.discard(lot_id)

    def finish(self) -> None:
        for lot_id in sorted(self._due):
            self._findings.add("C01", lot_id, "was promised, and never credited")

    def _check(self, at: Recorded, is_right: bool, detail: str) -> None:  # noqa: FBT001  # reads as a sentence
        if not is_right:
            self._findings.add("C01", at.stream_id, detail, at.position)


class Charge:
    """What one request stands at, of which something was decided after its end."""

    __slots__ = ("borne_nano", "changes", "disputed", "hold_nano", "paid_nano", "reviewed", "units")

    def __init__(self, hold_nano: int, paid_nano: int) -> None:
        self.hold_nano, self.paid_nano = hold_nano, paid_nano
        self.borne_nano: int | None = None  #: by the operator; not known before usage is told late
        self.units: object = None  #: likewise
        self.changes: dict[str, int] = {}  #: by adjustments that may still be denied
        self.reviewed = False
        self.disputed = False  #: and not reviewed since


class Charges:
    """What was decided about charges after they were made. Of a request that was not held, how it stood first is taken as told."""

    REPORTS: Final = UUID("0c1f6a52-9f5b-5d0e-8a3c-4b7d1e92f6a8")

    def __init__(self, ratings: Ratings, findings: Findings) -> None:
        self._ratings = ratings
        self._findings = findings
        self._absurd: dict[str, tuple[object, ...]] = {}  #: the last charge of a lease that may be held
        self._charges: dict[str, Charge] = {}
        self._held: set[str] = set()
        self._asking: dict[str, tuple[object, ...]] = {}  #: adjustments that must follow
        self._of: dict[str, str] = {}  #: the request of each adjustment
        self._taking: dict[str, str] = {}  #: the request of each report that must be taken yet, by its stream

    def charged(self, at: Recorded) -> None:
        flags = at.event.get("usage_flags")
        if type(flags) is list and "absurd" in flags:
            self._absurd[at.stream_id] = at.version, *_held_of(at.event)

    def held(self, at: Recorded) -> int:
        """It must stand right behind its charge."""
        event, request_id = at.event, id_of(at.event, "request_id")
        is_next = self._absurd.pop(at.stream_id, None) == (at.version - 1, *_held_of(event))
        self._check(is_next, at, "holds a charge that is not right before it")
        self._held.add(request_id)
        self._charges[request_id] = Charge(amount(event, "hold_nano"), amount(event, "charge_nano"))
        return 0

    def reviewed(self, at: Recorded) -> int:
        event, charge = at.event, self._charge_of(at, "charge_nano")
        right_nano, paid_nano = amount(event, "right_nano"), amount(event, "charge_nano")
        is_known = event["request_id"] in self._held or charge.reviewed or charge.disputed
        self._check(is_known, at, "reviews what was neither held nor disputed")
        self._check(charge.disputed or not charge.reviewed, at, "is reviewed twice")
        is_no_dearer = right_nano <= paid_nano or not charge.disputed
        self._check(is_no_dearer, at, "is corrected to more than was disputed")
        charge.reviewed, charge.disputed = True, False
        self._check(right_nano <= charge.hold_nano, at, f"is corrected to {right_nano}, beyond the hold")
        is_upheld = text_of(event, "outcome") == "upheld"
        self._check(is_upheld == (right_nano == paid_nano), at, "is upheld or corrected, but is not")
        self._change(at, charge, right_nano - paid_nano)
        return 0

    def told_wrong(self, at: Recorded) -> int:
        """The customer disputes it. How long after its end is not known here."""
        charge = self._charge_of(at, "charge_nano")
        self._check(not charge.disputed, at, "is disputed twice")
        charge.disputed = True
        self._check(amount(at.event, "charge_nano") > 0, at, "disputes a charge of nothing")
        return 0

    def told_late(self, at: Recorded) -> int:
        event, charge = at.event, self._charge_of(at, "charge_before_nano")
        self._ratings.check_late(at)
        rated_nano, charge_nano = amount(event, "rated_nano"), amount(event, "charge_nano")
        before_nano, right_nano = amount(event, "charge_before_nano"), min(rated_nano, charge.hold_nano)
        is_right = charge_nano == right_nano or before_nano <= charge_nano < right_nano
        self._check(is_right, at, f"charges {charge_nano}, should be {right_nano} at most")
        more_nano = amount(event, "shortfall_nano") - amount(event, "shortfall_back_nano")
        if charge.borne_nano is not None:
            is_whole = charge_nano + charge.borne_nano + more_nano == rated_nano
            self._check(is_whole, at, "what was charged and borne is not what it costs")
            self._check(charge.units == event["units_before"], at, "begins with a usage that was not known")
        charge.borne_nano, charge.units = rated_nano - charge_nano, event["units"]
        self._check(charge.borne_nano >= more_nano, at, "more is borne than it costs")
        told = f"{text_of(event, 'provider')}\n{text_of(event, 'report_ref')}"
        self._taking[str(uuid5(uuid5(self.REPORTS, told), "usage-report"))] = event["request_id"]
        self._change(at, charge, charge_nano - before_nano)
        return 0

    def taken(self, at: Recorded) -> int:
        is_its = self._taking.pop(at.stream_id, None) == id_of(at.event, "request_id")
        self._check(is_its and at.version == 1, at, "takes a report twice, or for another request")
        return 0

    def asked(self, at: Recorded) -> None:
        """An adjustment was asked for, of a charge or of anything else."""
        event = at.event
        wanted = self._asking.pop(id_of(event, "adjustment_id"), None)
        said = event["account_id"], event["kind"], event["amount_nano"], event.get("ref")
        self._check(wanted in {None, said}, at, "is not the adjustment that was decided")

    def denied(self, at: Recorded) -> None:
        adjustment_id = id_of(at.event, "adjustment_id")
        charge = self._charges.get(self._of.get(adjustment_id, ""))
        if charge:
            charge.paid_nano -= charge.changes.pop(adjustment_id, 0)

    def finish(self) -> None:
        for adjustment_id in sorted(self._asking):
            self._findings.add("C02", adjustment_id, "was decided, and never asked for")
        for request_id in sorted(self._taking.values()):
            self._findings.add("C02", request_id, "was told of by no report")

    def _charge_of(self, at: Recorded, paid: str) -> Charge:
        request_id, hold_nano = id_of(at.event, "request_id"), amount(at.event, "hold_nano")
        if at.stream_id != str(uuid5(UUID(request_id), "charge")):
            self._findings.add("L03", at.stream_id, f"is not the charge of {request_id}", at.position)
        paid_nano = amount(at.event, paid)
        charge = self._charges.setdefault(request_id, Charge(hold_nano, paid_nano))
        self._check(charge.hold_nano == hold_nano, at, f"tells of another hold than {charge.hold_nano}")
        self._check(charge.paid_nano == paid_nano, at, f"begins at {paid_nano}, paid was {charge.paid_nano}")
        return charge

    def _change(self, at: Recorded, charge: Charge, change_nano: int) -> None:
        charge.paid_nano += change_nano
        has_adjustment = at.event.get("adjustment_id") is not None
        self._check(
            has_adjustment == bool(change_nano), at, "has a difference and no adjustment, or the other way"
        )
        if has_adjustment:
            adjustment_id, request_id = id_of(at.event, "adjustment_id"), at.event["request_id"]
            kind = "debit" if change_nano > 0 else "credit"
            self._asking[adjustment_id] = at.event["account_id"], kind, abs(change_nano), request_id
            self._of[adjustment_id] = request_id
            charge.changes[adjustment_id] = change_nano

    def _check(self, holds: bool, at: Recorded, detail: str) -> None:  # noqa: FBT001  # reads as a sentence
        if not holds:
            self._findings.add("C02", at.stream_id, detail, at.position)


def _held_of(event: Event) -> tuple[object, ...]:
    return event["request_id"], event["account_id"], event["hold_nano"], event["charge_nano"]


class LowBalances:
    """Below which balance an account is told of, and where it was crossed."""

    DEFAULT: Final = "7b1d2c9e-54f0-5c3a-a1d6-0e8f3b6a9c25"

    def __init__(self, statements: Statements, findings: Findings) -> None:
        self._statements = statements
        self._findings = findings
        self._thresholds: dict[str | None, int | None] = {}
        self._balances: dict[str, int] = {}  #: as of the last look
        self._crossings: dict[tuple[str, int], tuple[int, int]] = {}  #: not told of yet

    def set(self, at: Recorded) -> int:
        account_id = id_of(at.event, "account_id") if at.event["account_id"] is not None else None
        stream_id = self.DEFAULT if account_id is None else str(uuid5(UUID(account_id), "balance-low"))
        if at.stream_id != stream_id:
            self._findings.add("L03", at.stream_id, "is not the threshold of this account", at.position)
        if not self._thresholds:
            totals = self._statements.totals
            self._balances = {one: told.balance_nano for one, told in totals.items()}
        was_nano = 0 if account_id is None else self._threshold_nano(account_id)
        told_nano = at.event["threshold_nano"]
        self._thresholds[account_id] = None if told_nano is None else amount(at.event, "threshold_nano")
        if account_id in self._balances:
            balance_nano, threshold_nano = self._balances[account_id], self._threshold_nano(account_id)
            if was_nano <= balance_nano < threshold_nano:
                self._crossings[account_id, at.position] = threshold_nano, balance_nano
        return 0

    def moved(self, at: Recorded) -> None:
        """The event was booked."""
        account_id = at.event.get("account_id")
        if not self._thresholds or not isinstance(account_id, str):
            return
        totals = self._statements.totals.get(account_id)
        if totals is None:
            return
        before_nano, after_nano = self._balances.get(account_id, 0), totals.balance_nano
        self._balances[account_id] = after_nano
        threshold_nano = self._threshold_nano(account_id)
        if after_nano < threshold_nano <= before_nano:
            self._crossings[account_id, at.position] = threshold_nano, after_nano

    def told(self, at: Recorded) -> int:
        account_id, position = id_of(at.event, "account_id"), amount(at.event, "crossed_position")
        stream_id = str(uuid5(UUID(account_id), f"balance-low:{position}"))
        crossed = self._crossings.pop((account_id, position), None)
        told = amount(at.event, "threshold_nano"), amount(at.event, "balance_nano")
        if (at.stream_id, at.version) != (stream_id, 1) or crossed != told:
            detail = f"tells of a low balance of {account_id} that was not crossed there"
            self._findings.add("B01", at.stream_id, detail, at.position)
        return 0

    def _threshold_nano(self, account_id: str) -> int:
        own_nano = self._thresholds.get(account_id)
        return (self._thresholds.get(None) or 0) if own_nano is None else own_nano


class AutoRecharges:
    """What accounts let the system order by itself, and what it ordered."""

    HOUR_US: Final = 3600 * MILLION
    WAITS_US: Final = (HOUR_US, 6 * HOUR_US, 24 * HOUR_US, None)  #: after so many declines in a row

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._pages: set[tuple[str, str]] = set()  #: by account, on which a way to pay may be left
        self._methods: set[str] = set()  #: accounts that have one
        self._rules: dict[str, Event] = {}
        self._on: set[str] = set()
        self._tries: Counter[str] = Counter()
        self._open: dict[str, Event] = {}  #: by account, the order that was tried
        self._begun: set[str] = set()  #: orders
        self._used_minor: Counter[tuple[str, str, str]] = Counter()  #: by account, currency and month
        self._declines: Counter[str] = Counter()
        self._retry_us: dict[str, int] = {}
        self._due: dict[str, Event] = {}  #: orders that are to be placed
        self._credited: dict[str, int] = {}  #: where, of orders that are open
        self.handlers: dict[str, Callable[[Recorded], int]] = {
            f"auto-recharge.{name}.v1": partial(self._own, take)
            for name, take in {
                "method-page-opened": self._page,
                "method-saved": self._saved,
                "method-forgotten": lambda account_id, _: self._methods.discard(account_id),
                "set": self._set,
                "stopped": lambda account_id, _: self._on.discard(account_id),
                "tried": self._tried,
                "begun": self._outcome,
                "needs-customer": self._outcome,
                "paid": self._outcome,
                "declined": self._outcome,
            }.items()
        }
        self.handlers["order.placed.v1"] = self._placed

    def finish(self) -> None:
        for order_id in sorted(self._due):
            self._findings.add("C03", order_id, "was tried, and never placed")

    def _own(self, take: Callable[[str, Recorded], None], at: Recorded) -> int:
        account_id = id_of(at.event, "account_id")
        if at.stream_id != str(uuid5(UUID(account_id), "auto-recharge")):
            self._findings.add("L03", at.stream_id, f"is not of {account_id}", at.position)
        take(account_id, at)
        return 0

    def _page(self, account_id: str, at: Recorded) -> None:
        self._pages.add((account_id, text_of(at.event, "session_ref")))

    def _saved(self, account_id: str, at: Recorded) -> None:
        page = account_id, text_of(at.event, "session_ref")
        self._check(at, page in self._pages, "saves what was left on no page of its own")
        self._pages.discard(page)
        self._methods.add(account_id)

    def _set(self, account_id: str, at: Recorded) -> None:
        self._check(at, account_id in self._methods, "sets a rule without a way to pay")
        if account_id not in self._on:
            self._declines[account_id], self._retry_us[account_id] = 0, 0
        rule = at.event.get("rule")
        if not isinstance(rule, dict):
            raise Malformed("rule")
        self._rules[account_id] = rule
        self._on.add(account_id)

    def _tried(self, account_id: str, at: Recorded) -> None:
        event, order_id = at.event, id_of(at.event, "order_id")
        now_us, rule = amount(event, "occurred_us"), self._rules.get(account_id, {})
        may = account_id in self._on & self._methods and account_id not in self._open
        self._check(at, may, "orders without a rule that is on, or beside an open order")
        self._check(at, now_us >= self._retry_us.get(account_id, 0), "orders before its wait is over")
        is_low = amount(event, "balance_nano") < amount(event, "threshold_nano")
        self._check(at, is_low, "orders for a balance that is not low")
        fields = ("currency", "threshold_nano", "cap_minor")
        is_ruled = all(event.get(name) == rule.get(name) for name in fields)
        months = {_month_at(now_us)} if rule.get("zone") == "UTC" else _months_around(now_us)
        self._check(at, is_ruled and event.get("month") in months, "orders by another rule than there is")
        self._tries[account_id] += 1
        own = str(uuid5(UUID(account_id), f"auto-recharge:{self._tries[account_id]}"))
        self._check(at, order_id == own, "orders under another number than its own")
        period = account_id, text_of(event, "currency"), text_of(event, "month")
        self._used_minor[period] += amount(event, "amount_minor")
        used_minor = self._used_minor[period]
        is_within = used_minor == amount(event, "used_minor") <= amount(event, "cap_minor")
        self._check(at, is_within, f"{used_minor} are used of the month's cap")
        self._open[account_id] = self._due[order_id] = event
        self._credited[order_id] = 0

    def _outcome(self, account_id: str, at: Recorded) -> None:
        tried, order_id = self._open.get(account_id), id_of(at.event, "order_id")
        if tried is None or tried["order_id"] != order_id:
            self._check(at, False, "tells of an order that is not open")  # noqa: FBT003  # reads as a sentence
            return
        if at.topic == "auto-recharge.begun.v1":
            self._check(at, order_id not in self._begun, "begins a second payment of one order")
            self._begun.add(order_id)
        elif at.topic == "auto-recharge.paid.v1":
            position = self._credited.pop(order_id)
            fits = 0 < position == amount(at.event, "credited_position")
            self._check(at, fits, "is paid, and not credited there")
            self._declines[account_id], self._retry_us[account_id] = 0, 0
            del self._open[account_id]
        elif at.topic == "auto-recharge.declined.v1":
            self._declined(account_id, at, tried)

    def _declined(self, account_id: str, at: Recorded, tried: Event) -> None:
        self._declines[account_id] += 1
        declines = self._declines[account_id]
        wait_us = self.WAITS_US[min(declines, len(self.WAITS_US)) - 1]
        retry_us = None if wait_us is None else amount(at.event, "occurred_us") + wait_us
        fits = (at.event.get("declines"), at.event.get("retry_us")) == (declines, retry_us)
        self._check(at, fits, "does not wait as long as it should")
        self._credited.pop(id_of(at.event, "order_id"))
        period = account_id, text_of(tried, "currency"), text_of(tried, "month")
        self._used_minor[period] -= amount(tried, "amount_minor")
        del self._open[account_id]
        self._retry_us[account_id] = retry_us or 0
        if at.event.get("retry_us") is None:
            self._on.discard(account_id)

    def _placed(self, at: Recorded) -> int:
        tried = self._due.pop(id_of(at.event, "order_id"), None)
        if tried is not None:
            names = ("account_id", "provider", "amount_minor", "currency")
            is_same = all(at.event.get(name) == tried[name] for name in names)
            self._check(at, is_same, "is not the order that was tried")
        return 0

    def credited(self, at: Recorded) -> None:
        order_id = id_of(at.event, "order_id")
        if order_id in self._credited:
            self._credited[order_id] = at.position

    def _check(self, at: Recorded, is_right: bool, detail: str) -> None:  # noqa: FBT001  # reads as a sentence
        if not is_right:
            self._findings.add("C03", at.stream_id, detail, at.position)


class OnAccount:
    """What accounts may owe, and owe, for orders that were credited before they were paid."""

    PROVIDER: Final = "invoice"
    TERMS: Final = ("currency", "limit_minor", "days_to_pay")

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._proposals: dict[tuple[str, str], Event] = {}  #: by account and id
        self._limits: dict[str, Event] = {}  #: by account
        self._owed: dict[str, dict[str, list[int]]] = defaultdict(
            dict
        )  #: by account and order: how much, and until when
        self._told: dict[tuple[str, str], int] = {}  #: by what orders tell of and accounts must count
        self.handlers: dict[str, Callable[[Recorded], int]] = {
            f"postpaid.{name}.v1": partial(self._own, take)
            for name, take in {
                "limit-proposed": self._proposed,
                "limit-approved": self._approved,
                "limit-lifted": lambda account_id, _: self._limits.pop(account_id, None),
                "bought": self._bought,
                "paid": self._paid,
                "reduced": self._reduced,
            }.items()
        }
        self.handlers |= {
            "order.payment-captured.v1": self._captured,
            "order.refund-succeeded.v1": self._set_off,
        }

    def finish(self) -> None:
        for what, subject in sorted(self._told):
            self._findings.add("C04", subject, f"was {what}, and never counted")

    def credited(self, at: Recorded) -> None:
        if at.event.get("provider") == self.PROVIDER:
            self._told["bought", id_of(at.event, "order_id")] = amount(at.event, "gross_minor")

    def _captured(self, at: Recorded) -> int:
        if at.event.get("provider") == self.PROVIDER:
            self._told["paid", id_of(at.event, "order_id")] = amount(at.event, "gross_minor")
        return 0

    def _set_off(self, at: Recorded) -> int:
        if at.event.get("set_off") is True:
            self._told["reduced", id_of(at.event, "refund_id")] = amount(at.event, "amount_minor")
        return 0

    def _own(self, take: Callable[[str, Recorded], object], at: Recorded) -> int:
        account_id = id_of(at.event, "account_id")
        if at.stream_id != str(uuid5(UUID(account_id), "postpaid")):
            self._findings.add("L03", at.stream_id, f"is not what {account_id} owes", at.position)
        take(account_id, at)
        return 0

    def _proposed(self, account_id: str, at: Recorded) -> None:
        self._proposals[account_id, id_of(at.event, "proposal_id")] = at.event

    def _approved(self, account_id: str, at: Recorded) -> None:
        asked = self._proposals.pop((account_id, id_of(at.event, "proposal_id")), {})
        is_same = all(asked.get(name) == at.event.get(name) for name in self.TERMS)
        self._check(at, is_same, "is not a limit that was proposed")
        self._check(at, asked.get("actor") != at.event.get("actor"), "is approved by who proposed it")
        self._limits[account_id] = at.event

    def _bought(self, account_id: str, at: Recorded) -> None:
        event, limit, owed = at.event, self._limits.get(account_id), self._owed[account_id]
        now_us = amount(event, "occurred_us")
        overdue = any(owed_minor and due_us <= now_us for owed_minor, due_us in owed.values())
        self._check(at, not overdue, "is bought while an order is overdue")
        self._count(at, "bought", id_of(event, "order_id"))
        owed[id_of(event, "order_id")] = [amount(event, "amount_minor"), amount(event, "due_us")]
        unpaid_minor = self._sum(account_id, at)
        if limit is None or limit.get("currency") != event.get("currency"):
            self._check(at, False, "is bought without a limit")  # noqa: FBT003  # reads as a sentence
        else:
            self._check(at, unpaid_minor <= amount(limit, "limit_minor"), "is more than the limit")

    def _paid(self, account_id: str, at: Recorded) -> None:
        self._count(at, "paid", id_of(at.event, "order_id"))
        self._check(at, self._less(account_id, at) == 0, "is paid in part")

    def _reduced(self, account_id: str, at: Recorded) -> None:
        self._count(at, "reduced", id_of(at.event, "refund_id"))
        self._check(at, self._less(account_id, at) >= 0, "is more than what is owed of it")

    def _less(self, account_id: str, at: Recorded) -> int:
        one = self._owed[account_id].setdefault(id_of(at.event, "order_id"), [0, 0])
        one[0] -= amount(at.event, "amount_minor")
        self._sum(account_id, at)
        return one[0]

    def _count(self, at: Recorded, what: str, subject: str) -> None:
        is_told = self._told.pop((what, subject), None) == amount(at.event, "amount_minor")
        self._check(at, is_told, f"counts what its order does not tell: {what}")

    def _sum(self, account_id: str, at: Recorded) -> int:
        unpaid_minor = sum(owed_minor for owed_minor, _ in self._owed[account_id].values())
        is_right = unpaid_minor == amount(at.event, "unpaid_minor")
        self._check(at, is_right, "tells another sum than there is")
        return unpaid_minor

    def _check(self, at: Recorded, is_right: bool, detail: str) -> None:  # noqa: FBT001  # reads as a sentence
        if not is_right:
            self._findings.add("C04", at.stream_id, detail, at.position)


def _month_at(time_us: int) -> str:
    return datetime.fromtimestamp(time_us // MILLION, tz=UTC).strftime("%Y-%m")


def _months_around(time_us: int) -> set[str]:
    """The months that it may be somewhere at this time; no clock on Earth is further from UTC than fourteen hours."""
    return {_month_at(time_us + hours * AutoRecharges.HOUR_US) for hours in (-14, 0, 14)}


class Claims:
    """Credit that is set aside because its payment goes back, and what accounts owe of it."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._open: dict[str, list[Any]] = {}  #: by claim: account, lot, wanted, frozen
        self.owed: dict[str, int] = {}  #: by account

    def frozen(self, at: Recorded, account_id: str) -> None:
        lot_id, wanted_nano = id_of(at.event, "lot_id"), amount(at.event, "wanted_nano")
        new: list[Any] = [account_id, lot_id, wanted_nano, 0]
        claim = self._open.setdefault(id_of(at.event, "claim_id"), new)
        self._check(claim[:2] == [account_id, lot_id], at, "freezes for the claim on another lot")
        claim[3] += amount(at.event, "amount_nano")
        self._check(claim[3] <= max(claim[2], wanted_nano), at, f"has {claim[3]} frozen, wants {claim[2]}")

    def unfrozen(self, at: Recorded, account_id: str, lost_nano: int) -> None:
        event, claim = at.event, self._open.get(id_of(at.event, "claim_id"))
        if not self._check(claim is not None and claim[0] == account_id, at, "lets go for no claim"):
            return
        assert claim
        self._check(claim[1] == id_of(event, "lot_id"), at, "lets go of another lot")
        claim[3] -= amount(event, "amount_nano") + lost_nano
        self._check(claim[3] >= 0, at, f"lets go of {-claim[3]} more than was frozen")
        if event["ends"] is True:
            self._check(claim[3] == 0, at, f"ends a claim that has {claim[3]} frozen")
            del self._open[event["claim_id"]]

    def taken(self, at: Recorded, account_id: str, *, is_over: bool, left_nano: int) -> None:
        """`is_over` and `left_nano` are of the lot: whether nothing of it may be spent, and what the wallet has of it."""
        event, claim = at.event, self._open.pop(id_of(at.event, "claim_id"), None)
        nano, owed_nano = amount(event, "amount_nano"), amount(event, "owed_nano")
        frozen_nano = claim[3] if claim else 0
        self._check(nano == frozen_nano, at, f"takes {nano}, had {frozen_nano} frozen")
        passed_over_nano = amount(event, "wanted_nano") - nano - owed_nano
        fits = passed_over_nano >= 0 if is_over else passed_over_nano == 0
        self._check(fits, at, f"neither takes nor has owed {passed_over_nano}")
        self._check(not (owed_nano and left_nano), at, f"has {owed_nano} owed, and the lot has {left_nano}")
        if owed_nano:
            self.owed[account_id] = self.owed.get(account_id, 0) + owed_nano

    def paid(self, at: Recorded, account_id: str, nano: int) -> None:
        """Or given up."""
        left_nano = self.owed.pop(account_id, 0) - nano
        self._check(left_nano >= 0, at, f"pays {-left_nano} more than is owed")
        if left_nano > 0:
            self.owed[account_id] = left_nano

    def lent(self, at: Recorded, account_id: str) -> None:
        owed_nano = self.owed.get(account_id, 0)
        self._check(not owed_nano, at, f"lends to an account that owes {owed_nano}")

    def finish(self, books: Books) -> None:
        """The books have what is owed and frozen."""
        expected = {f"receivable:{account_id}": -nano for account_id, nano in self.owed.items()}
        for claim_id, (account_id, _, _, frozen_nano) in self._open.items():
            if frozen_nano:
                expected[f"frozen:{account_id}:{claim_id}"] = frozen_nano
        found = {
            name: nano for name, nano in books.balances.items() if name.startswith(("receivable:", "frozen:"))
        }
        for name in sorted(name for name in expected | found if expected.get(name) != found.get(name)):
            detail = f"stands at {found.get(name, 0)}, should be {expected.get(name, 0)}"
            self._findings.add("P30", name, detail)

    def _check(self, holds: bool, at: Recorded, detail: str) -> bool:  # noqa: FBT001  # reads as a sentence
        if not holds:
            self._findings.add("P32", at.stream_id, detail, at.position)
        return holds


class Ledger:
    """Follows wallets and leases by what their events say, apart from the postings, and checks them after each.

    A handler returns by how much customers have more after its event.
    """

    def __init__(self, ratings: Ratings, books: Books, statements: Statements, findings: Findings) -> None:
        self._ratings = ratings
        self._books = books
        self._statements = statements
        self._findings = findings
        self._wallets: dict[str, str] = {}  #: streams by account
        self._admitted = Unique()
        self._lots = Unique()
        self._ends: dict[str, int] = {}  #: when lots expire, of those that do
        self._over: set[str] = set()  #: of these, those whose end is stored
        self._budgets = budgets = Budgets(findings)
        self._voided: set[str] = set()  #: lots that were taken back
        self._adjustments = Adjustments(findings)
        self._codes = Codes(findings)
        self._charges = charges = Charges(ratings, findings)
        self.low = LowBalances(statements, findings)
        self._recharges = AutoRecharges(findings)
        self._on_account = OnAccount(findings)
        self._claims = Claims(findings)
        self.leases: dict[str, Lease] = {}
        self.handlers: dict[str, Callable[[Recorded], int]] = {
            "wallet.credit-lot-granted.v1": self._granted,
            "wallet.credit-lot-expired.v1": self._expired,
            "wallet.adjustment-posted.v1": self._adjusted,
            "wallet.credit-lot-voided.v1": self._taken_back,
            "adjustment.requested.v1": self._asked,
            "adjustment.approved.v1": self._adjustments.decided,
            "adjustment.denied.v1": self._denied,
            "balance-low.set.v1": self.low.set,
            "balance-low.crossed.v1": self.low.told,
            **self._recharges.handlers,
            **self._on_account.handlers,
            "order.credited.v1": self._order_credited,
            "charge.disputed.v1": charges.told_wrong,
            "charge.reviewed.v1": charges.reviewed,
            "charge.usage-reported-late.v1": charges.told_late,
            "usage-report.taken.v1": charges.taken,
            "code-batch.issued.v1": self._codes.batch,
            "redemption-code.issued.v1": self._codes.issued,
            "redemption-code.redeemed.v1": self._codes.redeemed,
            "redemption-count.counted.v1": self._codes.counted,
            "demo.started.v1": self._codes.demo,
            "wallet.credit-frozen.v1": self._frozen,
            "wallet.credit-unfrozen.v1": self._unfrozen,
            "wallet.frozen-credit-taken.v1": self._taken,
            "wallet.taken-credit-restored.v1": self._restored,
            "wallet.receivable-settled.v1": self._debt_paid,
            "wallet.receivable-written-off.v1": self._debt_given_up,
            "wallet.lease-granted.v1": self._lent,
            "wallet.lease-extended.v1": self._extended,
            "wallet.lease-reduced.v1": self._reduced,
            "wallet.lease-recall-requested.v1": self._recalled,
            "wallet.lease-settled.v1": self._settled,
            "lease.opened.v1": self._opened,
            "lease.topped-up.v1": self._topped_up,
            "lease.gave-back.v1": self._gave_back,
            "lease.share-raised.v1": budgets.raised,
            "lease.share-returned.v1": budgets.given_back,
            "budget.set.v1": budgets.set,
            "budget.removed.v1": budgets.removed,
            "budget-share.granted.v1": budgets.granted,
            "budget-share.returned.v1": budgets.returned,
            "budget-share.settled.v1": budgets.settled,
            "lease.request-admitted.v1": self._request_admitted,
            "lease.usage-charged.v1": self._usage_charged,
            "lease.charge-held-for-review.v1": self._held_for_review,
            "lease.request-released.v1": self._request_freed,
            "lease.request-abandoned.v1": self._request_freed,
            "lease.closed.v1": self._closed,
            "lease.fenced.v1": self._closed,
        }

    @property
    def requests(self) -> int:
        return self._admitted.count

    def _asked(self, at: Recorded) -> int:
        self._charges.asked(at)
        return self._adjustments.requested(at)

    def _order_credited(self, at: Recorded) -> int:
        self._recharges.credited(at)
        self._on_account.credited(at)
        return 0

    def _denied(self, at: Recorded) -> int:
        self._charges.denied(at)
        return self._adjustments.decided(at)

    # --- the wallet

    def _in_wallet(self, at: Recorded) -> str:
        account_id = id_of(at.event, "account_id")
        if account_id not in self._wallets:
            self._wallets[account_id] = str(uuid5(UUID(account_id), "wallet"))
        if self._wallets[account_id] != at.stream_id:
            self._find("L03", at, f"is not the wallet of {account_id}")
        return account_id

    def _granted(self, at: Recorded) -> int:
        self._in_wallet(at)
        self._codes.credited(at)
        lot_id = id_of(at.event, "lot_id")
        self._lots.take(lot_id)
        if at.event.get("expires_us") is not None:
            self._ends[lot_id] = amount(at.event, "expires_us")
        nano = amount(at.event, "amount_nano")
        self._check(nano > 0, "L04", at, "grants nothing")
        return nano

    def _expired(self, at: Recorded) -> int:
        self._in_wallet(at)
        lot_id = id_of(at.event, "lot_id")
        is_over = self._is_over(at, lot_id) and lot_id not in self._over and lot_id not in self._voided
        self._check(is_over, "P15", at, f"the lot {lot_id} does not expire now")
        self._over.add(lot_id)
        return -amount(at.event, "amount_nano")

    def _adjusted(self, at: Recorded) -> int:
        account_id = self._in_wallet(at)
        nano, direction = amount(at.event, "amount_nano"), text_of(at.event, "direction")
        added_nano, taken_nano = sum_of_slices(at.event, "added"), sum_of_slices(at.event, "taken")
        expected = (nano, 0) if direction == "credit" else (0, nano)
        fits = nano > 0 and (added_nano, taken_nano) == expected
        self._check(fits, "P01", at, f"has slices of {added_nano} and {taken_nano}, should be {expected}")
        for part in slices_of(at.event, "added"):
            self._lots.take(part["lot_id"])
        self._check_lots(at, "taken")
        self._adjustments.posted(at, (direction, account_id, nano))
        return added_nano - taken_nano

    def _taken_back(self, at: Recorded) -> int:
        account_id, lot_id = self._in_wallet(at), id_of(at.event, "lot_id")
        is_over = lot_id in self._voided or self._is_over(at, lot_id)
        self._check(not is_over, "P15", at, f"the lot {lot_id} is over")
        self._voided.add(lot_id)
        self._adjustments.posted(at, ("void", account_id, lot_id))
        return -amount(at.event, "amount_nano")

    def _is_over(self, at: Recorded, lot_id: str) -> bool:
        ends_us = self._ends.get(lot_id)
        return ends_us is not None and (lot_id in self._over or ends_us <= amount(at.event, "occurred_us"))

    def _check_lots(self, at: Recorded, name: str = "slices") -> None:
        """`slices` are of lots that are not over, `expired` and `voided` are of lots that are in this way."""
        if not (self._ends or self._voided) and not {"expired", "voided"} & at.event.keys():
            return
        for listed in (name, "expired", "voided"):
            for part in slices_of(at.event, listed):
                lot_id = part["lot_id"]
                is_over = "expired" if self._is_over(at, lot_id) else name
                fits = ("voided" if lot_id in self._voided else is_over) == listed
                self._check(fits, "P15", at, f"has the lot {lot_id} under {listed}")

    def _frozen(self, at: Recorded) -> int:
        self._claims.frozen(at, self._in_wallet(at))
        return 0

    def _unfrozen(self, at: Recorded) -> int:
        account_id, lot_id = self._in_wallet(at), id_of(at.event, "lot_id")
        lost = {name: amount(at.event, name) for name in ("expired_nano", "voided_nano") if name in at.event}
        is_voided = lot_id in self._voided
        fits = is_voided or not lost.get("voided_nano")
        fits &= (self._is_over(at, lot_id) and not is_voided) or not lost.get("expired_nano")
        self._check(fits, "P15", at, f"loses {lost} of the lot {lot_id}, which is not over in this way")
        self._claims.unfrozen(at, account_id, sum(lost.values()))
        return -sum(lost.values())

    def _taken(self, at: Recorded) -> int:
        account_id, lot_id = self._in_wallet(at), id_of(at.event, "lot_id")
        is_over = lot_id in self._voided or self._is_over(at, lot_id)
        left_nano = self._books.balances.get(f"wallet:{account_id}:{lot_id}", 0)
        self._claims.taken(at, account_id, is_over=is_over, left_nano=left_nano)
        return -amount(at.event, "amount_nano")

    def _restored(self, at: Recorded) -> int:
        self._in_wallet(at)
        lot_id = id_of(at.event, "lot_id")
        is_over = lot_id in self._voided or self._is_over(at, lot_id)
        self._check(not is_over, "P15", at, f"the lot {lot_id} is over")
        return amount(at.event, "amount_nano")

    def _debt_paid(self, at: Recorded) -> int:
        account_id, nano = self._in_wallet(at), amount(at.event, "amount_nano")
        paid_nano = sum_of_slices(at.event, "slices")
        self._check(paid_nano == nano, "P01", at, f"has slices of {paid_nano}, should be {nano}")
        self._claims.paid(at, account_id, nano)
        return -nano

    def _debt_given_up(self, at: Recorded) -> int:
        account_id, nano = self._in_wallet(at), amount(at.event, "amount_nano")
        self._claims.paid(at, account_id, nano)
        self._adjustments.posted(at, ("write_off", account_id, nano))
        return 0

    def _lent(self, at: Recorded) -> int:
        account_id = self._in_wallet(at)
        lease = self.leases.setdefault(id_of(at.event, "lease_id"), Lease())
        self._check(lease.lent_nano is None, "P05", at, "lends to a lease that has been lent to")
        lease.lent_nano, lease.account_id, lease.owner = 0, account_id, at.event["owner"]
        return self._extended(at)

    def _extended(self, at: Recorded) -> int:
        lease = self._lease_of(at)
        nano = amount(at.event, "amount_nano")
        self._check_slices(at, nano, "slices")
        self._claims.lent(at, text_of(at.event, "account_id"))
        if lease:
            lease.lent_nano = (lease.lent_nano or 0) + nano
        return 0

    def _reduced(self, at: Recorded) -> int:
        lease = self._lease_of(at)
        nano = amount(at.event, "amount_nano")
        gone_nano = self._check_slices(at, nano, "slices", "expired", "voided")
        if lease:
            lease.lent_nano = (lease.lent_nano or 0) - nano
            self._compare_sizes(at, lease)
        return -gone_nano

    def _recalled(self, at: Recorded) -> int:
        self._in_wallet(at)
        return 0

    def _settled(self, at: Recorded) -> int:
        event, lease = at.event, self._lease_of(at)
        returned_nano, charged_nano = amount(event, "returned_nano"), amount(event, "charged_nano")
        self._check_slices(at, returned_nano, "slices")
        lost_nano = sum_of_slices(event, "expired") + sum_of_slices(event, "voided")
        if lease is None:
            return -lost_nano
        self._check(lease.settled is None, "P05", at, "settles a lease twice")
        lent_nano, gone_nano = lease.lent_nano, charged_nano + returned_nano + lost_nano
        self._check(lent_nano == gone_nano, "P05", at, f"lent {lent_nano}, accounts for {gone_nano}")
        lease.settled = (
            text_of(event, "outcome"),
            amount(event, "last_version"),
            charged_nano,
            amount(event, "charges"),
        )
        self._join(at, id_of(event, "lease_id"), lease)
        return -lost_nano

    def _lease_of(self, at: Recorded) -> Lease | None:
        """The lease that an event of its wallet is about."""
        account_id = self._in_wallet(at)
        lease = self.leases.get(id_of(at.event, "lease_id"))
        if lease is None or lease.lent_nano is None:
            self._find("P05", at, f"is about the lease {at.event['lease_id']}, which is not lent")
            return None
        self._check(lease.account_id == account_id, "L03", at, "is about a lease of another account")
        return lease

    def _check_slices(self, at: Recorded, nano: int, *names: str) -> int:
        """The slices of all lists together are the amount; returns the sum of all but the first list."""
        self._check_lots(at)
        sums = [sum_of_slices(at.event, name) for name in names]
        self._check(sum(sums) == nano, "P01", at, f"has slices of {sum(sums)}, should be {nano}")
        return sum(sums[1:])

    # --- the lease

    def _opened(self, at: Recorded) -> int:
        lease = self.leases.setdefault(at.stream_id, Lease())
        self._check(at.version == 1 and not lease.is_open, "P06", at, "opens a lease twice")
        lease.is_open, lease.has_nano = True, amount(at.event, "amount_nano")
        account_id = id_of(at.event, "account_id")
        lent = lease.lent_nano is None or (lease.account_id, lease.owner) == (account_id, at.event["owner"])
        self._check(lent, "L01", at, "was lent to another account or owner")
        lease.account_id, lease.owner = account_id, at.event["owner"]
        self._compare_sizes(at, lease)
        return 0

    def _topped_up(self, at: Recorded) -> int:
        lease = self._open_lease(at)
        if lease:
            lease.has_nano += amount(at.event, "amount_nano")
            self._compare_sizes(at, lease)
        return 0

    def _gave_back(self, at: Recorded) -> int:
        lease = self._open_lease(at)
        if lease:
            lease.has_nano -= amount(at.event, "amount_nano")
            self._check(lease.free_nano >= 0, "P03", at, f"gives back {-lease.free_nano} too much")
        return 0

    def _request_admitted(self, at: Recorded) -> int:
        lease, event = self._open_lease(at), at.event
        request_id, hold_nano = id_of(event, "request_id"), amount(event, "hold_nano")
        self._admitted.take(request_id)
        if lease is None:
            return 0
        if event["account_id"] != lease.account_id:
            self._find("L03", at, "admits for another account")
        if request_id in lease.holds:
            self._find("P07", at, f"admits {request_id} twice")
            return 0
        lease.holds[request_id] = hold_nano
        lease.held_nano += hold_nano
        if "budgets" in event:
            self._budgets.hold(at, request_id, hold_nano)
        if lease.free_nano < 0:
            self._find("P03", at, f"holds {-lease.free_nano} more than it has")
        return 0

    def _usage_charged(self, at: Recorded) -> int:
        charge_nano = amount(at.event, "charge_nano")
        lease = self._end_hold(at)
        if lease:
            lease.charged_nano += charge_nano
            lease.charges += 1
        if charge_nano > amount(at.event, "hold_nano"):
            self._find("L04", at, f"charges {charge_nano}, more than it held")
        self._ratings.check(at)
        self._charges.charged(at)
        return -charge_nano

    def _held_for_review(self, at: Recorded) -> int:
        lease = self._open_lease(at)
        if lease and at.event["account_id"] != lease.account_id:
            self._find("L03", at, "is of another account")
        return self._charges.held(at)

    def _request_freed(self, at: Recorded) -> int:
        self._end_hold(at)
        return 0

    def _end_hold(self, at: Recorded) -> Lease | None:
        lease, event = self._open_lease(at), at.event
        request_id, hold_nano = text_of(event, "request_id"), amount(event, "hold_nano")
        if lease is None:
            return None
        if event["account_id"] != lease.account_id:
            self._find("L03", at, "is of another account")
        held_nano = lease.holds.pop(request_id, None)
        if held_nano is None:
            self._find("P28", at, f"ends {request_id}, which holds nothing")
            return lease
        if held_nano != hold_nano:
            self._find("P28", at, f"ends a hold of {hold_nano}, which was {held_nano}")
        lease.held_nano -= held_nano
        self._budgets.end_hold(at, request_id, event.get("charge_nano", 0))
        return lease

    def _closed(self, at: Recorded) -> int:
        lease, event = self._open_lease(at), at.event
        if lease is None:
            return 0
        self._check(not lease.holds, "P28", at, f"ends with {len(lease.holds)} open holds")
        told = amount(event, "charged_nano"), amount(event, "charges")
        sums = lease.charged_nano, lease.charges
        self._check(told == sums, "P05", at, f"ends with {told}, has charged {sums}")
        outcome = "closed" if at.topic == "lease.closed.v1" else "fenced"
        lease.is_open, lease.ended = False, (outcome, at.version, *told)
        self._join(at, at.stream_id, lease)
        return 0

    def _open_lease(self, at: Recorded) -> Lease | None:
        lease = self.leases.get(at.stream_id)
        if lease is None or not lease.is_open:
            self._find("P06", at, "the lease is not open")
            return None
        return lease

    # --- both

    def _compare_sizes(self, at: Recorded, lease: Lease) -> None:
        lent_nano = lease.lent_nano
        if lent_nano is None:
            self._find("L01", at, "the wallet has not lent it")
        elif lease.has_nano > lent_nano:
            self._find("L01", at, f"has {lease.has_nano}, was lent {lent_nano}")

    def _join(self, at: Recorded, lease_id: str, lease: Lease) -> None:
        """Compare both sides of an end, and forget the lease."""
        if lease.ended and lease.settled:
            detail = f"ended as {lease.ended}, was settled as {lease.settled}"
            self._check(lease.ended == lease.settled, "P05", at, detail)
            del self.leases[lease_id]

    def finish(self, leased: Account) -> None:
        """What only the end of the log shows."""
        self._adjustments.finish()
        self._codes.finish()
        self._recharges.finish()
        self._on_account.finish()
        self._charges.finish()
        self._claims.finish(self._books)
        for lot_id in self._lots.twice():
            self._findings.add("P04", f"lot {lot_id}", "was granted twice")
        for request_id in self._admitted.twice():
            self._findings.add("P07", f"request {request_id}", "was admitted twice")
        for lease_id, lease in sorted(self.leases.items()):
            if not lease.is_open or lease.lent_nano is None or lease.settled:
                self._findings.add("P05", lease_id, "was opened or ended on one side alone")
                continue
            name = leased.name({"account_id": lease.account_id, "lease_id": lease_id})
            left_nano = lease.lent_nano - lease.charged_nano
            if self._books.balances.get(name, 0) != left_nano:
                self._findings.add(
                    "P30", name, f"stands at {self._books.balances.get(name, 0)}, should be {left_nano}"
                )
            totals = self._statements.totals.get(lease.account_id)
            if totals:
                totals.held_nano += lease.held_nano

    def _check(self, holds: bool, code: str, at: Recorded, detail: str) -> bool:  # noqa: FBT001  # reads as a sentence
        if not holds:
            self._find(code, at, detail)
        return holds

    def _find(self, code: str, at: Recorded, detail: str) -> None:
        self._findings.add(code, at.stream_id, detail, at.position)


# ------------------------------------------------------------------------------------------------------- the replay


class Replay:
    """Every event once, in the order of the log."""

    PRICES: Final = "price-list.published.v1"
    LEDGER: Final = ("wallet.", "lease.", "budget-share.", "charge.", "usage-report.")

    def __init__(
        self, rules: Rules, topics: frozenset[str], question: Question | None, findings: Findings
    ) -> None:
        self._findings = findings
        self._topics = topics
        self.rules = rules
        self.order = Order(findings)
        self.statements = Statements(question, findings)
        self.books = Books(rules, self.statements, findings)
        self._ratings = Ratings(findings)
        self.ledger = Ledger(self._ratings, self.books, self.statements, findings)

    def take(self, at: Recorded) -> None:
        self.order.take(at)
        try:
            self._take(at)
        except KeyError as error:
            self._findings.add("L02", at.stream_id, f"{at.topic} without {error}", at.position)
        except Malformed as error:
            self._findings.add("L02", at.stream_id, f"{at.topic}: {error}", at.position)

    def _take(self, at: Recorded) -> None:
        handler = self.ledger.handlers.get(at.topic)
        if handler is None:
            self._take_other(at)
            return
        expected_nano = handler(at)
        gained_nano = self.books.post(at)
        self.ledger.low.moved(at)
        if gained_nano != expected_nano:
            detail = f"gave customers {gained_nano}, should be {expected_nano}"
            self._findings.add("P30", at.stream_id, detail, at.position)

    def _take_other(self, at: Recorded) -> None:
        """What only the rules know of, prices, and facts that move nothing."""
        if at.topic in self.rules.moves:
            self.books.post(at)
        elif at.topic == self.PRICES:
            self._ratings.publish(at)
        elif at.topic == Periods.CLOSED:
            self.books.periods.check(at, self.books.balances)
        elif at.topic not in self._topics or at.topic.startswith(self.LEDGER):
            self._findings.add("L02", at.stream_id, f"{at.topic} is not known", at.position)

    def finish(self) -> None:
        self.order.finish()
        leased = self.rules.accounts.get("leased")
        if leased is None or leased.fields != ("account_id", "lease_id"):
            raise Unreadable("the posting rules have no account for what is leased")
        self.ledger.finish(leased)
        total_nano = sum(self.books.balances.values())
        if total_nano:
            self._findings.add("P30", "the sum over all accounts", f"is {total_nano}")


# ------------------------------------------------------------------------------------------------ the seal and proofs


class Proof(NamedTuple):
    """An inclusion proof (C2SP tlog-proof), such as a customer gets with a receipt."""

    name: str
    number: int  #: of the event, from 0
    path: list[bytes]
    checkpoint: Checkpoint


def parse_proof(path: Path, keys: Sequence[Key], findings: Findings) -> Proof:
    text = _read(path)
    try:
        head, _, note = text.partition(b"\n\n")
        title, index, *hashes = head.decode().split("\n")
    except ValueError:
        raise Unreadable(f"{path.name} is no proof") from None
    digests = [_unbase64(line) for line in hashes]
    match = re.fullmatch("index (0|[1-9][0-9]{0,18})", index)
    if title != "c2sp.org/tlog-proof@v1" or not match or any(digest is None for digest in digests):
        raise Unreadable(f"{path.name} is no proof")
    checkpoint = parse_checkpoint(note, keys, findings, path.name)
    return Proof(path.name, int(match[1]), [digest for digest in digests if digest], checkpoint)


class Seal:
    """What was signed of the log: the export's own checkpoint, others that the auditor kept, and proofs of events."""

    def __init__(
        self,
        export: Export,
        *,
        keys: Sequence[Key],
        kept: Sequence[Path],
        proofs: Sequence[Path],
        findings: Findings,
    ) -> None:
        self._export = export
        self._findings = findings
        own = export.checkpoint
        self.own = parse_checkpoint(own, keys, findings, "checkpoint") if own is not None else None
        if keys and self.own is None:
            findings.add("S01", "checkpoint", "is missing: the export is not sealed")
        self._kept = [(path.name, parse_checkpoint(_read(path), keys, findings, path.name)) for path in kept]
        self._proofs = [parse_proof(path, keys, findings) for path in proofs]

    def _all(self) -> list[tuple[str, Checkpoint]]:
        own = [("checkpoint", self.own)] if self.own else []
        return own + self._kept + [(proof.name, proof.checkpoint) for proof in self._proofs]

    def cuts(self) -> set[int]:
        """The sizes at which roots are needed."""
        return {checkpoint.size for _, checkpoint in self._all()} | {self._export.events}

    def leaves(self) -> set[int]:
        return {proof.number for proof in self._proofs}

    def check(self, scan: Scan) -> None:
        """Compare what was signed with the lines."""
        for name, checkpoint in self._all():
            if checkpoint.size <= self._export.events:
                if scan.roots.get(checkpoint.size) != checkpoint.root:
                    self._findings.add("S02", name, "is of another log")
            elif name == "checkpoint" and not self._export.events:
                continue  # nothing is the beginning of every log
            elif name == "checkpoint" and self._export.consistency is not None:
                self._check_consistency(checkpoint, scan)
            else:
                detail = f"is of {checkpoint.size} events, the export has {self._export.events}"
                self._findings.add("S02", name, detail)
        for proof in self._proofs:
            self._check_inclusion(proof, scan)

    def _check_consistency(self, checkpoint: Checkpoint, scan: Scan) -> None:
        """The export ends before what was signed: it must be its beginning."""
        events = self._export.events
        lines = (self._export.consistency or b"").decode(errors="replace").split("\n")
        path = [_unbase64(line) for line in lines[1:-1]]
        root, roots = scan.roots.get(events, b""), None
        if lines[0] == f"tokenok-consistency {events} {checkpoint.size}" and all(path):
            roots = roots_of_consistency(root, events, checkpoint.size, [digest for digest in path if digest])
        if roots != (root, checkpoint.root):
            self._findings.add("S02", "consistency", "does not lead from the lines to the checkpoint")

    def _check_inclusion(self, proof: Proof, scan: Scan) -> None:
        leaf = scan.leaves.get(proof.number)
        size = proof.checkpoint.size
        if leaf is None or root_of_inclusion(leaf, proof.number, size, proof.path) != proof.checkpoint.root:
            self._findings.add(
                "S03", proof.name, f"does not lead from event number {proof.number} to its root"
            )

    def as_dict(self) -> dict[str, Any] | None:
        return {"origin": self.own.origin, "size": self.own.size} if self.own else None


# ---------------------------------------------------------------------------------------------------------- the audit


def audit(
    folder: Path,
    *,
    keys: Sequence[Key] = (),
    kept: Sequence[Path] = (),
    proofs: Sequence[Path] = (),
    question: Question | None = None,
    rules_told: Sequence[str] = (),
    jobs: int = 1,
) -> dict[str, Any]:
    """The result of everything, as plain values.

    Raises:
        Unreadable: nothing can be said about the ledger.
    """
    findings = Findings()
    export = open_export(folder, findings)
    rules = parse_rules(export.rules)
    require_known(rules, export.rules_sha256, rules_told)
    replay = Replay(rules, export.topics, question, findings)
    seal = Seal(export, keys=keys, kept=kept, proofs=proofs, findings=findings)
    scan = Scan(export.files, export.sums, seal.cuts(), seal.leaves())
    for recorded in read_events(scan, jobs=jobs):
        replay.take(recorded)
    findings.merge(scan.findings)
    replay.finish()
    seal.check(scan)
    return _result(export, replay, seal, scan, findings)


def _result(export: Export, replay: Replay, seal: Seal, scan: Scan, findings: Findings) -> dict[str, Any]:
    rules, books, leases = replay.rules, replay.books, replay.ledger.leases.values()
    result = {
        "format": "tokenok-audit/1",
        "position": replay.order.position,
        "events": replay.order.events,
        "root": base64.b64encode(scan.roots[export.events]).decode() if export.events in scan.roots else "",
        "sealed": seal.as_dict(),
        "posting_rules": rules.version,
        "posting_rules_sha256": export.rules_sha256,
        "requests": replay.ledger.requests,
        "requests_open": sum(len(lease.holds) for lease in leases),
        "leases_open": len(leases),
        "trial_balance": [
            {"code": account.code, "kind": kind, "side": account.side, "balance_nano": books.kinds[kind]}
            for kind, account in sorted(rules.accounts.items(), key=lambda item: (item[1].code, item[0]))
        ],
        "trial_balance_sha256": books.sha256(),
        "periods": books.periods.closed,
        "accounts": {name: totals.as_dict() for name, totals in sorted(replay.statements.totals.items())},
        "statement": replay.statements.statement(),
        "violations": findings.kept,
        "counts": dict(sorted(findings.counts.items())),
    }
    canonical = json.dumps(result, sort_keys=True, separators=(",", ":"))
    return result | {"result_sha256": hashlib.sha256(canonical.encode()).hexdigest()}


# -------------------------------------------------------------------------------------------------------- for people


def report(result: dict[str, Any], *, all_accounts: bool) -> str:
    """The result for a terminal, ending in a newline."""
    sealed = result["sealed"]
    lines = [
        f"{result['events']} events up to position {result['position']}",
        f"{result['requests']} requests, {result['requests_open']} of them open; {result['leases_open']} open leases",
        f"root {result['root']}",
        f"sealed by {sealed['origin']}: {sealed['size']} events" if sealed else "not sealed",
        "",
        f"posting rules {result['posting_rules']}, sha256 {result['posting_rules_sha256']}",
        *[
            f"{one['period']} closed at position {one['position']}: "
            + ("the books stood as it says" if one["is_right"] else "THE BOOKS STOOD OTHERWISE")
            for one in result["periods"]
        ],
        "",
        "trial balance, nano-credits",
        *_table([(row["code"], row["kind"], row["balance_nano"]) for row in result["trial_balance"]]),
        f"sha256 {result['trial_balance_sha256']}",
        "",
        *_accounts(result["accounts"], all_accounts=all_accounts),
        *_statement(result["statement"]),
        *[_violation(one) for one in result["violations"]],
    ]
    lines += [f"{code} violated {count} times: {CHECKS[code]}" for code, count in result["counts"].items()]
    lines.append("SOMETHING IS WRONG" if result["counts"] else "nothing was found")
    lines.append(f"result sha256 {result['result_sha256']}")
    return "\n".join(lines) + "\n"


def _accounts(accounts: dict[str, dict[str, int]], *, all_accounts: bool) -> list[str]:
    names = ("granted_nano", "charged_nano", "expired_nano", "adjusted_nano", "balance_nano", "held_nano")
    shown = list(accounts.items())[: None if all_accounts else 20]
    rows: list[tuple[object, ...]] = [("account", *(name.removesuffix("_nano") for name in names))]
    rows += [(account_id, *(totals[name] for name in names)) for account_id, totals in shown]
    more = [f"... {len(accounts) - len(shown)} more with --accounts"] if len(shown) < len(accounts) else []
    return [*_table(rows), *more, ""]


def _statement(statement: dict[str, Any] | None) -> list[str]:
    if statement is None:
        return []
    start, end = (
        datetime.fromtimestamp(statement[name] // MILLION, UTC).date() for name in ("from_us", "until_us")
    )
    rows: list[tuple[object, ...]] = [("opening", "", statement["opening_nano"])]
    rows += [
        (line["kind"], f"{line['movements']} {line['topic']}", line["amount_nano"])
        for line in statement["lines"]
    ]
    rows += [("closing", "", statement["closing_nano"])]
    keys = [
        (f"key {one['key_id']}", f"{one['charges']} charges", one["charged_nano"])
        for one in statement["keys"]
    ]
    title = f"account {statement['account_id']} from {start} to before {end}, UTC"
    return [title, *_table(rows), *_table(keys), ""]


def _table(rows: Sequence[Sequence[object]]) -> list[str]:
    """Numbers to the right, words to the left."""
    columns = list(zip(*rows, strict=True))
    widths = [max(len(str(cell)) for cell in column) for column in columns]
    sides = [">" if any(isinstance(cell, int) for cell in column) else "<" for column in columns]
    layout = list(zip(sides, widths, strict=True))
    return [
        "  "
        + "  ".join(
            f"{cell!s:{side}{width}}" for cell, (side, width) in zip(row, layout, strict=True)
        ).rstrip()
        for row in rows
    ]


def _violation(one: dict[str, Any]) -> str:
    at = f" at {one['position']}" if one["position"] else ""
    words = f"{one['code']}{at}: {one['subject']}: {one['detail']}"
    return "".join(character if character.isprintable() else "?" for character in words)


# -------------------------------------------------------------------------------------------------- the command line


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Audits an export of a Tokenok ledger.",
        epilog="Exit codes: 0 nothing was found, 1 something is wrong, 2 the export or the arguments cannot be read.",
    )
    parser.add_argument("export", type=Path, help="the folder that `tokenok export ledger` made")
    trust = parser.add_mutually_exclusive_group(required=True)
    trust.add_argument(
        "--key", action="append", default=[], help="the log's public key, from the operator's publication"
    )
    trust.add_argument(
        "--unsigned",
        action="store_true",
        help="check no signature: who made the export could have made it up",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="one kept from an earlier time",
    )
    parser.add_argument(
        "--proof", type=Path, action="append", default=[], metavar="FILE", help="a .tlog-proof of an event"
    )
    parser.add_argument(
        "--rules",
        action="append",
        default=[],
        metavar="SHA256",
        help="apply posting rules that this program does not know: those with this sum, which you have read",
    )
    parser.add_argument("--account", metavar="ID", help="show this account's statement")
    parser.add_argument("--month", metavar="YYYY-MM", help="of this month, by UTC; else of all time")
    parser.add_argument(
        "--accounts", action="store_true", help="show all accounts, not the first twenty alone"
    )
    parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="with more than one, a second process reads and hashes; changes no result (%(default)s)",
    )
    return parser


def question_of(account: str | None, month: str | None) -> Question | None:
    if account is None:
        if month is not None:
            raise Unreadable("--month needs --account")
        return None
    if not _IS_UUID(account):
        raise Unreadable("--account is no id")
    if month is None:
        return Question(account, 0, AMOUNT_MAX)
    match = re.fullmatch("([1-9][0-9]{3})-(0[1-9]|1[0-2])", month)
    if not match:
        raise Unreadable("--month must be YYYY-MM")
    return Question(account, *month_of(int(match[1]), int(match[2])))


def month_of(year: int, month: int) -> tuple[int, int]:
    """When a month of UTC begins, and when the next one does. Unix microseconds."""
    start = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return int(start.timestamp()) * MILLION, int(end.timestamp()) * MILLION


def main(arguments: Sequence[str] | None = None) -> int:
    asked = make_parser().parse_args(arguments)
    try:
        result = audit(
            asked.export,
            keys=[parse_key(key) for key in asked.key],
            kept=asked.checkpoint,
            proofs=asked.proof,
            question=question_of(asked.account, asked.month),
            rules_told=asked.rules,
            jobs=asked.jobs,
        )
    except Unreadable as error:
        sys.stderr.write(f"cannot be audited: {error}\n")
        return 2
    if asked.json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    else:
        sys.stdout.write(report(result, all_accounts=asked.accounts))
    return 1 if result["counts"] else 0


if __name__ == "__main__":
    gc.disable()  # nothing here refers to itself, and there are millions of events to look through
    sys.exit(main())
