"""The prepaid ledger: wallets lend credit to gateway processes as leases; requests hold and are charged inside them."""
