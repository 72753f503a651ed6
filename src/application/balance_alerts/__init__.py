"""Low balances: thresholds that operators set, and the alerts that follow."""
