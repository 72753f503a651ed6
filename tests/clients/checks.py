"""What every client's tests say: prompts, tools, a picture, and what must come of them."""

import json
from typing import Any, Final

from pydantic import BaseModel

from tests.api.v1.gateway_world import World
from tests.clients.scene import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Json

PNG: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SAW: Final = "I see image/png of 70 bytes"
CITY: Final[Json] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS: Final = ("warm", "wet")
ASKING: Final = {1: "How is the weather?", 2: "Tell both."}  #: by how many tools are called for it
CHARGE_NANO: Final = 16 * 500 + 5 * 50 + 9 * 1_500


class Person(BaseModel):
    name: str
    age: int


ADA: Final = Person(name="Ada", age=36)


def result_of(name: str, arguments: str | Json) -> str:
    """What a tool answers, if it was given what the model said."""
    given: Any = json.loads(arguments) if isinstance(arguments, str) else arguments
    return f"{name} in {given['city']}"


def told(count: int) -> str:
    """What the model says of the results of that many tools."""
    return f"The tools say: {'; '.join(f'{name} in Graz' for name in TOOLS[:count])}"


def assert_charged(world: World, request_id: str | None) -> None:
    """The request was charged for what the upstream told, and in full."""
    assert request_id is not None
    charged = world.charge(request_id)
    units = (charged.units.input, charged.units.cached_input, charged.units.output)
    assert units == (INPUT_TOKENS - CACHED_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS)
    assert charged.charge_nano == CHARGE_NANO
