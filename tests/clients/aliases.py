"""The models that clients ask for: one for each dialect that an upstream can speak."""

import msgspec

from domain.catalogue.deployment_spec import Operation
from domain.catalogue.provider import Dialect


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """One provider with one model. `path` is that of its base URL."""

    name: str
    dialect: Dialect
    path: str
    serves: Operation
    traits: tuple[str, ...] = ()

    @property
    def provider(self) -> str:
        return f"scripted-{self.name}"


ALIASES = (
    Alias(name="on-openai", dialect="openai", path="/v1", serves="chat"),
    Alias(name="on-responses", dialect="openai", path="/v1", serves="responses"),
    Alias(name="on-anthropic", dialect="anthropic", path="", serves="messages", traits=("json_schema",)),
    Alias(
        name="on-gemini",
        dialect="gemini",
        path="/v1beta",
        serves="chat",
        traits=("json_with_tools", "thought_signatures"),
    ),
    # To be refused by, each apart: an upstream that fails is trusted less.
    *(
        Alias(name=f"fail-{status}", dialect="openai", path="/v1", serves="chat")
        for status in (400, 401, 429, 500)
    ),
)
