"""The ledger at work: a gateway process's leases, the reaper of the dead, and the commands on a wallet."""
