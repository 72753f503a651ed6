"""Credit that is given away: codes that are redeemed once, and access to try."""
