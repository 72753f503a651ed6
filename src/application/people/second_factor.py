"""Taking and ending a second factor. The seed is shown once, while it is taken, and never read back for a person."""

from typing import Final
from uuid import UUID

from application.people.ports import PeoplePorts
from application.people.sign_in import SignIn, WrongCode, recovery_hash

RECOVERY_CODES: Final = 10
_CODE_BYTES: Final = 5


def take(sign_in: SignIn, person_id: UUID, *, seed: str, code: str) -> list[str]:
    """Begin to ask for codes of this seed; returns the recovery codes, which are shown this one time.

    Raises:
        WrongCode: the code is not the seed's; nothing changed.
    """
    ports: PeoplePorts = sign_in.ports
    step = ports.codes.step_of(seed, "".join(code.split()), now_us=sign_in.clock.now_us())
    if step is None:
        raise WrongCode("this code is not right")
    plain = [sign_in.ids.entropy(_CODE_BYTES).hex() for _ in range(RECOVERY_CODES)]
    hashes = [recovery_hash(sign_in.hasher, person_id, one) for one in plain]
    ports.people.set_totp(person_id, seed, step=step, recovery_hashes=hashes)
    return [f"{one[:5]}-{one[5:]}" for one in plain]


def end(sign_in: SignIn, person_id: UUID, *, code: str) -> None:
    """Ask for no codes any more; a code proves that it is them.

    Raises:
        WrongCode: it is not right; nothing changed.
    """
    if not sign_in.is_code_right(person_id, code):
        raise WrongCode("this code is not right, or was used")
    sign_in.ports.people.set_totp(person_id, None)
