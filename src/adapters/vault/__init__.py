"""The vault on Postgres: sealed secrets, keys of personal data, names, and kept answers."""

from adapters.vault.idempotency import PostgresIdempotencyStore
from adapters.vault.kept_answers import PostgresKeptAnswers
from adapters.vault.master_keys import BadMasterKey, MasterKeys, key_file_fault, parse_master_keys
from adapters.vault.names import PostgresNameBook
from adapters.vault.personal_data import PostgresPersonalData
from adapters.vault.postgres import PostgresVault
from adapters.vault.sealing import Sealer, derive, secret_hasher

__all__ = [
    "BadMasterKey",
    "MasterKeys",
    "PostgresIdempotencyStore",
    "PostgresKeptAnswers",
    "PostgresNameBook",
    "PostgresPersonalData",
    "PostgresVault",
    "Sealer",
    "derive",
    "key_file_fault",
    "parse_master_keys",
    "secret_hasher",
]
