"""The one table of what operators may command, for the JSON API and for the command line.

A command becomes `POST /api/admin/<nouns>/<verb>` and `tokenok <noun> <verb>`.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from api.admin import credit
from application.accounts import (
    close_account,
    open_account,
    reinstate_account,
    rename,
    set_account_limits,
    suspend_account,
)
from application.catalogue import (
    add_deployment,
    change_deployment,
    change_provider,
    disable_deployment,
    disable_provider,
    enable_deployment,
    enable_provider,
    point_alias,
    publish_prices,
    register_provider,
    remove_alias,
    revoke_credential,
    rotate_credential,
    set_route,
    store_credential,
)
from application.command import Command
from application.keys import import_key, issue_key, revoke_key, rotate_key, set_key_expiry, set_key_limits
from application.operators import disable_operator, register_operator, rotate_operator_token
from domain.operators import Permission

_PLURALS: Final = {"alias": "aliases", "credit": "credit", "prices": "prices"}


class Entry(msgspec.Struct, frozen=True):
    """One command. `new_id` names the optional field with the id of what it makes."""

    noun: str
    verb: str
    command: type[Command]
    handle: Callable[..., Any]  #: `(command, *, actor, ports)`
    new_id: str | None = None

    @property
    def path(self) -> str:
        return f"/{_PLURALS.get(self.noun, f'{self.noun}s')}/{self.verb}"

    @property
    def permission(self) -> Permission:
        return self.command.permission

    @property
    def summary(self) -> str:
        return (self.command.__doc__ or "").strip().partition("\n")[0]


COMMANDS: Final[tuple[Entry, ...]] = (
    Entry("account", "open", open_account.OpenAccount, open_account.handle, "account_id"),
    Entry("account", "suspend", suspend_account.SuspendAccount, suspend_account.handle),
    Entry("account", "reinstate", reinstate_account.ReinstateAccount, reinstate_account.handle),
    Entry("account", "close", close_account.CloseAccount, close_account.handle),
    Entry("account", "limit", set_account_limits.SetAccountLimits, set_account_limits.handle),
    Entry("account", "rename", rename.Rename, rename.handle),
    Entry("credit", "grant", credit.GrantCredit, credit.handle, "lot_id"),
    Entry("key", "issue", issue_key.IssueKey, issue_key.handle, "key_id"),
    Entry("key", "import", import_key.ImportKey, import_key.handle, "key_id"),
    Entry("key", "rotate", rotate_key.RotateKey, rotate_key.handle),
    Entry("key", "limit", set_key_limits.SetKeyLimits, set_key_limits.handle),
    Entry("key", "expire", set_key_expiry.SetKeyExpiry, set_key_expiry.handle),
    Entry("key", "revoke", revoke_key.RevokeKey, revoke_key.handle),
    Entry(
        "operator", "register", register_operator.RegisterOperator, register_operator.handle, "operator_id"
    ),
    Entry("operator", "rotate", rotate_operator_token.RotateOperatorToken, rotate_operator_token.handle),
    Entry("operator", "disable", disable_operator.DisableOperator, disable_operator.handle),
    Entry("provider", "register", register_provider.RegisterProvider, register_provider.handle),
    Entry("provider", "change", change_provider.ChangeProvider, change_provider.handle),
    Entry("provider", "disable", disable_provider.DisableProvider, disable_provider.handle),
    Entry("provider", "enable", enable_provider.EnableProvider, enable_provider.handle),
    Entry("credential", "store", store_credential.StoreCredential, store_credential.handle, "credential_id"),
    Entry("credential", "rotate", rotate_credential.RotateCredential, rotate_credential.handle),
    Entry("credential", "revoke", revoke_credential.RevokeCredential, revoke_credential.handle),
    Entry("deployment", "add", add_deployment.AddDeployment, add_deployment.handle, "deployment_id"),
    Entry("deployment", "change", change_deployment.ChangeDeployment, change_deployment.handle),
    Entry("deployment", "disable", disable_deployment.DisableDeployment, disable_deployment.handle),
    Entry("deployment", "enable", enable_deployment.EnableDeployment, enable_deployment.handle),
    Entry("route", "set", set_route.SetRoute, set_route.handle),
    Entry("alias", "point", point_alias.PointAlias, point_alias.handle),
    Entry("alias", "remove", remove_alias.RemoveAlias, remove_alias.handle),
    Entry("prices", "publish", publish_prices.PublishPrices, publish_prices.handle),
)
