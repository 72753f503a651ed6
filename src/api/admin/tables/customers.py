"""Commands about customers: their accounts, keys, people and what they are told."""

from typing import Final

from api.admin.tables.entry import Entry, entry
from application.accounts import (
    close_account,
    erase_account,
    open_account,
    reinstate_account,
    rename,
    set_account_limits,
    set_contact,
    suspend_account,
)
from application.announcements import set_announcement, withdraw_announcement
from application.bodies import erase_bodies, read_body, set_logging
from application.hooks import (
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    ping_endpoint,
    register_endpoint,
    remove_endpoint,
    replay_messages,
    rotate_endpoint_secret,
)
from application.keys import import_key, issue_key, revoke_key, rotate_key, set_key_expiry, set_key_limits
from application.mail import check_mail, discard_mail, retry_mail
from application.management import issue_management_key, revoke_management_key, rotate_management_key
from application.members import change_member_role, invite_member, remove_member, withdraw_invitation
from application.support import begin_access, end_access

CUSTOMERS: Final[tuple[Entry, ...]] = (
    entry(
        "account",
        "open",
        open_account.handle,
        "Open an account for a customer. With an account id of your choice it may be repeated.",
        new_id="account_id",
    ),
    entry("account", "suspend", suspend_account.handle, "Refuse an account's keys for a while."),
    entry("account", "reinstate", reinstate_account.handle, "Let a suspended account's keys work again."),
    entry("account", "close", close_account.handle, "End an account for good."),
    entry(
        "account",
        "contact",
        set_contact.handle,
        "Say whom to write to about an account. It is kept encrypted with a key of the account's own.",
    ),
    entry(
        "account",
        "erase",
        erase_account.handle,
        "Close an account and destroy its personal data, for good. The answer is a certificate; asked again, the same.",
    ),
    entry(
        "account",
        "limit",
        set_account_limits.handle,
        "Set the rate limits of an account. A limit that is left out is lifted.",
    ),
    entry("account", "rename", rename.handle, "Name an account, a key or an operator anew."),
    entry("key", "issue", issue_key.handle, "Make an API key; its secret is shown once.", new_id="key_id"),
    entry(
        "key",
        "import",
        import_key.handle,
        "Take over an API key that exists already. Its strength is its maker's; ours are better.",
        new_id="key_id",
    ),
    entry(
        "key",
        "rotate",
        rotate_key.handle,
        "Give a key a new secret; the present one ends later. Of an older secret nothing is left at once.",
    ),
    entry(
        "key", "limit", set_key_limits.handle, "Set the limits of a key. A limit that is left out is lifted."
    ),
    entry("key", "expire", set_key_expiry.handle, "Let a key end by itself at a time, or never."),
    entry("key", "revoke", revoke_key.handle, "End a key for good, at once."),
    entry(
        "management-key",
        "issue",
        issue_management_key.handle,
        "Make a management key, with which a customer's programs use /api; its secret is shown once.",
        new_id="key_id",
    ),
    entry(
        "management-key",
        "rotate",
        rotate_management_key.handle,
        "Give a management key a new secret; the present one ends later. Of an older secret nothing is left at once.",
    ),
    entry(
        "management-key", "revoke", revoke_management_key.handle, "End a management key for good, at once."
    ),
    entry(
        "member",
        "invite",
        invite_member.handle,
        "Let somebody into a customer's workspace. The link, shown once, makes a member of who follows it within a week.",
        new_id="invitation_id",
    ),
    entry("member", "withdraw", withdraw_invitation.handle, "Let an invitation open nothing any more."),
    entry("member", "change", change_member_role.handle, "Give a member another role."),
    entry("member", "remove", remove_member.handle, "End a membership, at once."),
    entry(
        "support",
        "begin",
        begin_access.handle,
        "Look into a customer's workspace for an hour, without changing anything. The customer sees who looked, and why.",
        new_id="access_id",
    ),
    entry("support", "end", end_access.handle, "Look no more, before the hour is over."),
    entry(
        "announcement",
        "set",
        set_announcement.handle,
        "Tell customers something in their languages, for a time. With the id of an announcement, it is worded anew.",
        new_id="announcement_id",
    ),
    entry(
        "announcement",
        "withdraw",
        withdraw_announcement.handle,
        "Show an announcement to nobody any more.",
    ),
    entry(
        "bodies",
        "set",
        set_logging.handle,
        "Keep the requests and answers of an account, or no longer. Encrypted, for BODY_LOG_DAYS, and off by default.",
    ),
    entry(
        "bodies",
        "read",
        read_body.handle,
        "Show a request and its answer, if they were kept. Who has read what, and why, stands in the log.",
    ),
    entry("bodies", "erase", erase_bodies.handle, "Delete all that is kept of an account's requests."),
    entry(
        "endpoint",
        "register",
        register_endpoint.handle,
        "Tell a customer of what happens, at an https address of theirs; the secret that signs is shown once.",
        new_id="endpoint_id",
    ),
    entry(
        "endpoint",
        "change",
        change_endpoint.handle,
        "Replace the address of an endpoint, and the kinds of messages that go there. What waits goes to the new address.",
    ),
    entry(
        "endpoint",
        "rotate",
        rotate_endpoint_secret.handle,
        "Sign with a new secret, shown once; until the overlap ends, messages have a signature by the present one too.",
    ),
    entry("endpoint", "ping", ping_endpoint.handle, "Try an endpoint with a message about nothing."),
    entry(
        "endpoint",
        "replay",
        replay_messages.handle,
        "Send messages again, with the same ids: one, or all from a position of the log on that are still kept.",
    ),
    entry(
        "endpoint",
        "disable",
        disable_endpoint.handle,
        "Send nothing to an endpoint for a while. What happens meanwhile waits for it.",
    ),
    entry("endpoint", "enable", enable_endpoint.handle, "Send to an endpoint again, what has waited first."),
    entry(
        "endpoint",
        "remove",
        remove_endpoint.handle,
        "Tell nothing at an endpoint any more. What waits is not sent, and its secrets are destroyed.",
    ),
    entry(
        "mail",
        "check",
        check_mail.handle,
        "Send a mail that says that mail works. `mail list` shows what became of it.",
        new_id="mail_id",
    ),
    entry(
        "mail",
        "retry",
        retry_mail.handle,
        "Send a parked mail again. If it may have arrived, it may arrive twice, under the same Message-ID.",
    ),
    entry("mail", "discard", discard_mail.handle, "Let a mail never be sent. What it says is dropped."),
)
