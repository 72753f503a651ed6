"""Why a caller is turned away at the door. One refusal for every key that does not open it, so none can be probed."""

from typing import ClassVar

from domain.accounts import AccountStatus
from domain.refusal import Refusal


class InvalidApiKey(Refusal):
    """Unknown, revoked, rotated away or expired: the caller is not told which."""

    code: ClassVar[str] = "invalid_api_key"


class InvalidOperatorToken(Refusal):
    """Unknown, rotated away, or of a disabled operator."""

    code: ClassVar[str] = "invalid_token"


class AccountNotOpen(Refusal):
    """The key is good; its account is suspended or closed."""

    code: ClassVar[str] = "account_not_open"

    def __init__(self, status: AccountStatus) -> None:
        super().__init__(f"the account is {status}")
        self.status = status


class ModelNotAllowed(Refusal):
    """The key, or its account, may not use this model."""

    code: ClassVar[str] = "model_not_allowed"

    def __init__(self, model: str) -> None:
        super().__init__("this key may not use the model")
        self.model = model
