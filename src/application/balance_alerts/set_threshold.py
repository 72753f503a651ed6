"""Say below which balance an account is told of."""

from typing import ClassVar
from uuid import UUID

from application.accounts.stream import load_account
from application.command import Command, Done, Ports, execute, stamp
from domain import balance_alerts
from domain.balance_alerts import threshold_stream
from domain.fact import Actor
from domain.operators import Permission


class SetBalanceLow(Command, frozen=True, kw_only=True):
    """Without an account, of every account that has no threshold of its own; without a threshold, take it away."""

    permission: ClassVar[Permission] = "accounts"

    account_id: UUID | None = None
    threshold_nano: int | None = None


def handle(command: SetBalanceLow, *, actor: Actor, ports: Ports) -> Done:
    """Set it.

    Raises:
        NotFound: there is no such account.
        BadField: as `balance_alerts.set_threshold`.
    """
    if command.account_id is not None:
        load_account(ports.store, command.account_id)
    at = stamp(ports, actor)
    return execute(
        ports.store,
        threshold_stream(command.account_id),
        None,
        balance_alerts.evolve,
        lambda present_nano: balance_alerts.set_threshold(
            present_nano, account_id=command.account_id, threshold_nano=command.threshold_nano, stamp=at
        ),
    )
