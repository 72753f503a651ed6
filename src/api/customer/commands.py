"""The one table of what customers may command: some of the operators' commands, about their own account, with fewer fields.

A command becomes `POST /api/<nouns>/<verb>` and a form target of the console's workspace.
"""

from typing import Final, Literal

import msgspec

from api.admin.commands import COMMANDS
from api.admin.tables.entry import Entry
from domain.members import MemberPermission

ENTRIES: Final = {(entry.noun, entry.verb): entry for entry in COMMANDS}
Own = Literal["account", "key", "order", "budget", "budgeted", "endpoint", "management-key"]


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """One command. `fields` are those that the caller may give; every other one is ours or stays unset.

    `own` says what it is about, which must be the account's: `account`, the account itself; `key`, `order`, `budget`,
    `endpoint`, `management-key`, one that exists already; `budgeted`, the account, one of its keys, or a budget of either.
    """

    noun: str
    verb: str
    permission: MemberPermission
    fields: frozenset[str]
    own: Own = "account"

    @property
    def entry(self) -> Entry:
        return ENTRIES[self.noun, self.verb]


def _allowed(
    noun: str, verb: str, permission: MemberPermission, fields: str, *, own: Own = "account"
) -> Allowed:
    return Allowed(noun=noun, verb=verb, permission=permission, fields=frozenset(fields.split()), own=own)


_LIMITS: Final = "rpm tpm concurrency models allowed_providers denied_providers"
ALLOWED: Final = (
    _allowed("key", "issue", "keys", f"name expires_us {_LIMITS}"),
    _allowed("key", "limit", "keys", f"key_id {_LIMITS}", own="key"),
    _allowed("key", "expire", "keys", "key_id expires_us", own="key"),
    _allowed("key", "rotate", "keys", "key_id overlap_s", own="key"),
    _allowed("key", "revoke", "keys", "key_id reason", own="key"),
    _allowed(
        "budget",
        "set",
        "keys",
        "budget_id key_id amount_nano window enforcement zone hours alert_percents",
        own="budgeted",
    ),
    _allowed("budget", "remove", "keys", "budget_id reason", own="budget"),
    _allowed("charge", "dispute", "billing", "request_id cause remark"),
    _allowed("balance", "threshold", "billing", "threshold_nano"),
    _allowed("order", "place", "billing", "currency amount_minor provider country"),
    _allowed("order", "checkout", "billing", "order_id", own="order"),
    _allowed("order", "cancel", "billing", "order_id reason", own="order"),
    _allowed("refund-request", "file", "billing", "order_id reason", own="order"),
    _allowed("refund-request", "withdraw", "billing", "order_id refund_id", own="order"),
    _allowed("auto-recharge", "method", "billing", "provider"),
    _allowed(
        "auto-recharge", "set", "billing", "threshold_nano amount_minor currency cap_minor zone country"
    ),
    _allowed("auto-recharge", "stop", "billing", ""),
    _allowed("auto-recharge", "forget", "billing", ""),
    _allowed("code", "redeem", "billing", "code"),
    _allowed("billing", "set", "billing", "buyer_name address country tax_id email is_business"),
    _allowed("endpoint", "register", "keys", "url kinds"),
    _allowed("endpoint", "change", "keys", "endpoint_id url kinds", own="endpoint"),
    _allowed("endpoint", "rotate", "keys", "endpoint_id overlap_s", own="endpoint"),
    _allowed("endpoint", "ping", "keys", "endpoint_id", own="endpoint"),
    _allowed("endpoint", "replay", "keys", "endpoint_id from_position message_id", own="endpoint"),
    _allowed("endpoint", "disable", "keys", "endpoint_id reason", own="endpoint"),
    _allowed("endpoint", "enable", "keys", "endpoint_id", own="endpoint"),
    _allowed("endpoint", "remove", "keys", "endpoint_id", own="endpoint"),
    _allowed("member", "invite", "members", "role email locale"),
    _allowed("member", "withdraw", "members", "invitation_id"),
    _allowed("member", "change", "members", "person_id role"),
    _allowed("member", "remove", "members", "person_id"),
    _allowed("management-key", "issue", "members", "name role expires_us"),
    _allowed("management-key", "rotate", "members", "key_id overlap_s", own="management-key"),
    _allowed("management-key", "revoke", "members", "key_id reason", own="management-key"),
)
