"""Changes of a wallet by commands: read, decide, append, and again when another writer was faster."""

from collections.abc import Callable, Sequence
from uuid import UUID

from application.eventlog import EventStore, NewEvent, VersionConflict
from application.ledger.wallet_reader import load_wallet, wallet_stream
from domain.event import encode
from domain.ledger import wallet as rules
from domain.ledger.events import WalletEvent
from domain.ledger.wallet import Wallet

TRIES_MAX = 50


def change_wallet(
    store: EventStore, account_id: UUID, decide: Callable[[Wallet], Sequence[WalletEvent]]
) -> Wallet:
    """The wallet as it stands after what `decide` says, which is stored whole or not at all.

    Raises:
        LedgerRefusal: whatever `decide` raises; nothing was stored.
        LogUnavailable, VersionConflict: nothing was stored.
    """
    stream_id = wallet_stream(account_id)
    for tries_left in reversed(range(TRIES_MAX)):
        wallet = load_wallet(store, account_id).wallet
        decided = decide(wallet)
        if not decided:
            return wallet
        try:
            store.append(
                [
                    NewEvent(stream_id, version, event.TOPIC, encode(event))
                    for version, event in enumerate(decided, wallet.version + 1)
                ]
            )
        except VersionConflict:
            if not tries_left:
                raise
        else:
            for event in decided:
                rules.evolve(wallet, event)
            return wallet
    raise AssertionError("unreachable")
