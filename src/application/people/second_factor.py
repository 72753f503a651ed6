"""Taking and ending a second factor. The seed is shown once, while it is taken, and never read back for a person."""

from typing import Final
from uuid import UUID

from application.people.ports import PeoplePorts
from application.people.sign_in import SignIn, Visitor, WrongCode, recovery_hash
from domain.refusal import WrongState

RECOVERY_CODES: Final = 10
_CODE_BYTES: Final = 5


def take(sign_in: SignIn, person_id: UUID, *, seed: str, code: str) -> list[str]:
    """Begin to ask for codes of this seed; returns the recovery codes, which are shown this one time.

    Raises:
        WrongCode: the code is not the seed's; nothing changed.
        WrongState: there is a second factor already. It is ended first, which takes a code of it.
    """
    ports: PeoplePorts = sign_in.ports
    person = ports.people.get(person_id)
    if person is None or person.has_totp:
        raise WrongState("person", "with a second factor")
    step = ports.codes.step_of(seed, "".join(code.split()), now_us=sign_in.clock.now_us())
    if step is None:
        raise WrongCode("this code is not right")
    plain, hashes = _new_codes(sign_in, person_id)
    ports.people.set_totp(person_id, seed, step=step, recovery_hashes=hashes)
    return plain


def renew_codes(sign_in: SignIn, person_id: UUID, *, code: str, visitor: Visitor) -> list[str]:
    """Other recovery codes, shown this one time; those before let nobody in any more.

    Raises:
        WrongCode, TooManyFailures: as `SignIn.require_code`; nothing changed.
    """
    sign_in.require_code(person_id, code, visitor=visitor)
    plain, hashes = _new_codes(sign_in, person_id)
    sign_in.ports.people.set_recovery_codes(person_id, hashes)
    return plain


def end(sign_in: SignIn, person_id: UUID, *, code: str, visitor: Visitor) -> None:
    """Ask for no codes any more; a code proves that it is them.

    Raises:
        WrongCode, TooManyFailures: as `SignIn.require_code`; nothing changed.
    """
    sign_in.require_code(person_id, code, visitor=visitor)
    sign_in.ports.people.set_totp(person_id, None)


def _new_codes(sign_in: SignIn, person_id: UUID) -> tuple[list[str], list[bytes]]:
    """As they are shown, and what is kept of them."""
    plain = [sign_in.ids.entropy(_CODE_BYTES).hex() for _ in range(RECOVERY_CODES)]
    hashes = [recovery_hash(sign_in.hasher, person_id, one) for one in plain]
    return [f"{one[:5]}-{one[5:]}" for one in plain], hashes
