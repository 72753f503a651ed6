"""Which payment providers are set up. One without its secrets is off, not open; one with half of them is a mistake that is said."""

from typing import Final, cast, get_args

import msgspec

from adapters.checkout.rsa_keys import private_key, public_key
from application.checkout.ports import CheckoutProvider, Checkouts

_SECRET_CHARS_MIN: Final = 16
_SEAL_KEY_BYTES: Final = 32
_STRIPE_KEYS: Final = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of all providers, under the names that they have in `settings`."""

    public_url: str = ""
    stripe_secret_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str = ""
    alipay_app_id: str = ""
    alipay_private_key: str = ""
    alipay_public_key: str = ""
    alipay_seller_id: str = ""
    alipay_way: str = "page"
    alipay_gateway: str = ""
    wechat_merchant_id: str = ""
    wechat_app_id: str = ""
    wechat_private_key: str = ""
    wechat_serial: str = ""
    wechat_api_key: str = ""
    wechat_platform_keys: str = ""
    wechat_api_base: str = ""


def configured(given: ProviderSettings) -> Checkouts:
    """The providers whose secrets are given.

    Raises:
        ValueError: some settings of one, and not all, or one that cannot be used; the message names the variable and no secret.
    """
    made = [make(given) for make in (_stripe, _alipay, _wechat)]
    found = [one for one in made if one is not None]
    if found and not given.public_url.startswith(("https://", "http://")):
        raise ValueError("PUBLIC_URL must be set: payment providers send customers and messages there")
    return Checkouts(found)


def _stripe(given: ProviderSettings) -> CheckoutProvider | None:
    if not _is_on(given, "stripe_secret_key", "stripe_webhook_secret"):
        return None
    if not given.stripe_secret_key.startswith(_STRIPE_KEYS):
        raise ValueError(f"STRIPE_SECRET_KEY must begin with one of {', '.join(_STRIPE_KEYS)}")
    secrets = [one.strip() for one in given.stripe_webhook_secret.split(",")]
    if any(len(one) < _SECRET_CHARS_MIN for one in secrets):
        raise ValueError(
            "STRIPE_WEBHOOK_SECRET must be the signing secret of the endpoint, or two with a comma"
        )
    # The library takes most of a second to load; who has no use for it does not wait for it.
    from adapters.checkout.stripe import StripeCheckout  # noqa: PLC0415  # see above

    return StripeCheckout(
        secret_key=given.stripe_secret_key, webhook_secrets=secrets, api_base=given.stripe_api_base
    )


def _alipay(given: ProviderSettings) -> CheckoutProvider | None:
    if not _is_on(given, "alipay_app_id", "alipay_private_key", "alipay_public_key"):
        return None
    from adapters.checkout.alipay import AlipayCheckout, Way  # noqa: PLC0415  # as above

    if given.alipay_way not in get_args(Way):
        raise ValueError("ALIPAY_WAY must be page or code")
    try:
        key, alipay_key = private_key(given.alipay_private_key), public_key(given.alipay_public_key)
    except ValueError as error:
        raise ValueError(f"ALIPAY_PRIVATE_KEY and ALIPAY_PUBLIC_KEY must be keys: {error}") from None
    if key.public_key() == alipay_key:
        raise ValueError(
            "ALIPAY_PUBLIC_KEY must be Alipay's key, not your own: whoever has yours could sign messages"
        )
    return AlipayCheckout(
        app_id=given.alipay_app_id,
        key=key,
        alipay_key=alipay_key,
        seller_id=given.alipay_seller_id,
        notify_url=_notify_url(given, "alipay"),
        gateway=given.alipay_gateway,
        way=cast("Way", given.alipay_way),
    )


def _wechat(given: ProviderSettings) -> CheckoutProvider | None:
    names = ("merchant_id", "app_id", "private_key", "serial", "api_key", "platform_keys")
    if not _is_on(given, *(f"wechat_{name}" for name in names)):
        return None
    from adapters.checkout.wechat import WechatCheckout  # noqa: PLC0415  # as above
    from adapters.checkout.wechat_wire import platform_keys  # noqa: PLC0415  # as above

    if len(given.wechat_api_key.encode()) != _SEAL_KEY_BYTES:
        raise ValueError(f"WECHAT_API_KEY must be the APIv3 key, {_SEAL_KEY_BYTES} characters")
    try:
        key, platform = private_key(given.wechat_private_key), platform_keys(given.wechat_platform_keys)
    except ValueError as error:
        raise ValueError(f"WECHAT_PRIVATE_KEY and WECHAT_PLATFORM_KEYS must be keys: {error}") from None
    if key.public_key() in platform.values():
        raise ValueError("WECHAT_PLATFORM_KEYS must be WeChat Pay's keys, not your own")
    return WechatCheckout(
        merchant_id=given.wechat_merchant_id,
        app_id=given.wechat_app_id,
        key=key,
        serial=given.wechat_serial,
        seal_key=given.wechat_api_key.encode(),
        platform=platform,
        notify_url=_notify_url(given, "wechat"),
        api_base=given.wechat_api_base,
    )


def _is_on(given: ProviderSettings, *names: str) -> bool:
    """Whether all of them are given; none means that the provider is off.

    Raises:
        ValueError: some are missing.
    """
    missing = [name.upper() for name in names if not getattr(given, name)]
    if missing and len(missing) < len(names):
        raise ValueError(f"{' and '.join(missing)} must be set too, or none of the provider's settings")
    return not missing


def _notify_url(given: ProviderSettings, name: str) -> str:
    return f"{given.public_url.rstrip('/')}/webhooks/{name}"
