"""In which browsers somebody signs in. Of one that is new they are told by mail, once: in case that it was not them.

A browser is known by a random number that it holds, and not by its network address, which changes with every train.
"""

import structlog

from application.people.mailed import Mailed
from application.people.ports import Browsers, Person, Session
from application.people.sign_in import browser_hash
from application.vault import VaultError
from domain.keys.secret import SecretHasher
from domain.refusal import Refusal

log = structlog.get_logger()


def tell_of_browser(
    session: Session,
    browser: str,
    *,
    person: Person,
    email: str,
    language: str,
    browsers: Browsers,
    hasher: SecretHasher,
    mailed: Mailed | None,
) -> None:
    """Note where somebody has just signed in, and write to them if they never did so there. Blocking.

    The first browser of all is not told of. Whatever goes wrong is logged, and keeps nobody out.
    """
    try:
        met = browsers.meet(session.person_id, browser_hash(hasher, browser), now_us=session.made_us)
        if met == "new" and mailed is not None:
            mailed.tell_signed_in(email, person, session, language=language)
    except (VaultError, Refusal) as error:
        log.warning("sign_in_not_told", session_id=str(session.session_id), error=type(error).__name__)
