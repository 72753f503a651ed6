"""The table of faults: name -> what goes wrong. `GET /_sandbox/faults` prints it.

To add one: write a function in the file of its family, put it in that file's `FAULTS`, and claim in
`tests/sandbox/faults/` what it shows on the wire; a fault without a claim fails the tests.
"""

from typing import Final

from sandbox.errors import SHAPES
from sandbox.faults import bodies, cuts, events, floods, framing, statuses, usages
from sandbox.faults.fault import Fault
from sandbox.script import BadScript, Script

FAULTS: Final[dict[str, Fault]] = {
    found.name: found
    for family in (statuses, cuts, framing, bodies, usages, events, floods)
    for found in family.FAULTS
}
FAULT_NAMES: Final = frozenset(FAULTS)


def fits(script: Script, *, stream: bool) -> bool:
    """Whether the script's fault, if it has one, exists for a stream or for a JSON answer."""
    if script.fault is None:
        return True
    return ("stream" if stream else "json") in FAULTS[script.fault].kinds


def check(script: Script, *, stream: bool | None = None) -> None:
    """A fault that could not show must not pass for one that did.

    Raises:
        BadScript: there is no such fault or error shape, or the fault does not exist for this kind of answer.
    """
    if script.shape is not None and script.shape not in SHAPES:
        raise BadScript(f"There is no error shape {script.shape!r}; see GET /_sandbox/faults.")
    if script.fault is not None and script.fault not in FAULTS:
        raise BadScript(f"There is no fault {script.fault!r}; see GET /_sandbox/faults.")
    if stream is not None and not fits(script, stream=stream):
        kind = "a stream" if stream else "a JSON answer"
        raise BadScript(f"The fault {script.fault!r} does not exist for {kind}.")
