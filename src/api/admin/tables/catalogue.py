"""Commands about what is served and by whom it is run: providers, models, routes, prices, operators."""

from typing import Final

from api.admin.tables.entry import Entry, entry
from application.catalogue import (
    add_deployment,
    approve_prices,
    change_deployment,
    change_provider,
    deny_prices,
    disable_deployment,
    disable_provider,
    enable_deployment,
    enable_preset,
    enable_provider,
    point_alias,
    probe_provider,
    publish_prices,
    register_provider,
    remove_alias,
    revoke_credential,
    rotate_credential,
    set_route,
    store_credential,
)
from application.operators import (
    change_operator_role,
    disable_operator,
    invite_operator,
    register_operator,
    rotate_operator_token,
)

CATALOGUE: Final[tuple[Entry, ...]] = (
    entry(
        "preset",
        "enable",
        enable_preset.handle,
        "Make a provider of the presets ready: its models, their prices, routes. The provider is asked first whether it takes the "
        "secret. What is there already stays as it is.",
    ),
    entry("provider", "register", register_provider.handle, "Add a provider. Its id follows from its name."),
    entry(
        "provider",
        "change",
        change_provider.handle,
        "Replace the settings of a provider. What is left out is unset.",
    ),
    entry(
        "provider",
        "probe",
        probe_provider.handle,
        "Ask a provider whether it can be reached and takes our secrets. It costs nothing, and changes nothing.",
    ),
    entry("provider", "disable", disable_provider.handle, "Send no requests to a provider."),
    entry("provider", "enable", enable_provider.handle, "Send requests to a provider again."),
    entry(
        "credential",
        "store",
        store_credential.handle,
        "Keep a secret for a provider, sealed. It is bound to where the provider is now.",
        new_id="credential_id",
    ),
    entry("credential", "rotate", rotate_credential.handle, "Replace the secret of a credential."),
    entry(
        "credential",
        "revoke",
        revoke_credential.handle,
        "Use a credential no more. Revoke it at the provider too: that is not done here.",
    ),
    entry(
        "deployment",
        "add",
        add_deployment.handle,
        "Add a model at a provider. A timeout that is left out is the server's.",
        new_id="deployment_id",
    ),
    entry(
        "deployment",
        "change",
        change_deployment.handle,
        "Replace the settings of a deployment. What is left out goes back to its default.",
    ),
    entry("deployment", "disable", disable_deployment.handle, "Let routes pass over a deployment."),
    entry("deployment", "enable", enable_deployment.handle, "Let routes use a deployment again."),
    entry(
        "route",
        "set",
        set_route.handle,
        "Say which deployments serve an alias, in order. It replaces an earlier route, or a pointer.",
    ),
    entry("alias", "point", point_alias.handle, "Make an alias another name of one with a route."),
    entry(
        "alias",
        "remove",
        remove_alias.handle,
        "Take an alias away from clients. Clients that write it get 404.",
    ),
    entry(
        "prices",
        "publish",
        publish_prices.handle,
        "Publish prices of aliases. The version in the answer is the price version that charges name. Where PRICES_NEED_APPROVAL is on "
        "they are proposed only, and the answer has a proposal id.",
    ),
    entry(
        "prices",
        "approve",
        approve_prices.handle,
        "Agree to prices that another operator has proposed. They are published at once.",
    ),
    entry(
        "prices",
        "deny",
        deny_prices.handle,
        "Do not agree to proposed prices, or take one's own proposal back.",
    ),
    entry(
        "operator",
        "register",
        register_operator.handle,
        "Make an operator; the token is shown once.",
        new_id="operator_id",
    ),
    entry(
        "operator",
        "rotate",
        rotate_operator_token.handle,
        "Give an operator a new token. Operators rotate their own, admins anyone's.",
    ),
    entry(
        "operator",
        "change",
        change_operator_role.handle,
        "Give an operator another role. It counts from now on; the last superadmin keeps theirs.",
    ),
    entry("operator", "disable", disable_operator.handle, "Refuse an operator's token from now on."),
    entry(
        "operator",
        "invite",
        invite_operator.handle,
        "Let an operator into the console. The link, shown once, sets their address and password; an earlier one is dead.",
    ),
)
