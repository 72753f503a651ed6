"""Where account decisions are made: the account's own stream."""

from collections.abc import Callable
from uuid import UUID

from application.command import Done, execute, load
from application.eventlog import EventStore
from domain import accounts
from domain.accounts import Account, AccountEvent


def decide_account(
    store: EventStore, account_id: UUID, decide: Callable[[Account | None], list[AccountEvent]]
) -> Done:
    """Run a decision about one account; raises as `execute`."""
    return execute(store, account_id, None, accounts.evolve, decide)


def load_account(store: EventStore, account_id: UUID) -> Account:
    """The account as it is now.

    Raises:
        NotFound: there is none.
    """
    return accounts.existing(load(store, account_id, None, accounts.evolve))
