"""What Gemini's models differ in, as far as a request to them depends on it: one table, a name to meaning and source.

A model without traits is taken for a current one in form (full JSON Schema, ids on function calls) and for a plain one in
what it can do: what only some models take is sent only to those that have the trait.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

SCHEMA_SUBSET: Final = "schema_subset"
NO_CALL_IDS: Final = "no_call_ids"
NO_SYSTEM: Final = "no_system"
ONE_CANDIDATE: Final = "one_candidate"
THOUGHT_SIGNATURES: Final = "thought_signatures"
THINKING_LEVEL: Final = "thinking_level"
THINKING_BUDGET: Final = "thinking_budget"
LEVEL_MINIMAL: Final = "level_minimal"
LEVEL_XHIGH: Final = "level_xhigh"
NO_LEVEL_MEDIUM: Final = "no_level_medium"
ALWAYS_THINKS: Final = "always_thinks"
MEDIA_URLS: Final = "media_urls"
JSON_WITH_TOOLS: Final = "json_with_tools"
IMAGE_OUTPUT: Final = "image_output"
PENALTIES: Final = "penalties"
LOGPROBS: Final = "logprobs"
SERVICE_TIER: Final = "service_tier"
EMBEDS_ONE: Final = "embeds_one"


class Trait(msgspec.Struct, frozen=True):
    meaning: str
    source: str  #: a page, a recording, or what the SDK's types say


_DOCS: Final = "ai.google.dev/gemini-api/docs/"

TRAITS: Final[Mapping[str, Trait]] = MappingProxyType(
    {
        SCHEMA_SUBSET: Trait(
            "Schemas only as the OpenAPI subset (`parameters`, `responseSchema`); else full JSON Schema",
            "recorded: `parametersJsonSchema` answered by 2.0-flash, 2.5 and 3, on Vertex too; older models and Gemma",
        ),
        NO_CALL_IDS: Trait(
            "`id` on function calls and responses is refused",
            "recorded: ids accepted by 2.0-flash, 2.5, 3 and 3.6 and on Vertex v1beta1; older Vertex versions",
        ),
        NO_SYSTEM: Trait(
            "`systemInstruction` is refused: system messages go into the first user turn",
            "Gemma: 'Developer instruction is not enabled'",
        ),
        ONE_CANDIDATE: Trait(
            "`candidateCount` above 1 is refused",
            _DOCS + "text-generation; 'Multiple candidates is not enabled'",
        ),
        THOUGHT_SIGNATURES: Trait(
            "A function call in the history without its signature is refused (3 and later): the first call of a turn "
            "that has none gets Google's placeholder",
            _DOCS + "thought-signatures; recorded: 11 requests with the placeholder, all answered",
        ),
        THINKING_LEVEL: Trait(
            "Takes `thinkingLevel` low, medium, high (3 and later); both level and budget are refused",
            _DOCS + "thinking; google-genai 3.4 types",
        ),
        THINKING_BUDGET: Trait("Takes `thinkingBudget` in tokens (2.5)", _DOCS + "thinking"),
        LEVEL_MINIMAL: Trait(
            "Takes `thinkingLevel` minimal (3 Flash; Argon does not)", _DOCS + "latest-model"
        ),
        LEVEL_XHIGH: Trait("Takes `thinkingLevel` xhigh", "google-genai 3.4 types"),
        NO_LEVEL_MEDIUM: Trait("Takes only low and high (3 Pro preview)", _DOCS + "thinking"),
        ALWAYS_THINKS: Trait("Refuses a budget of 0 (2.5 Pro): 128 is its least", _DOCS + "thinking"),
        MEDIA_URLS: Trait(
            "Fetches public https URLs itself (`fileData.fileUri`); not 2.0 and older in AI Studio",
            _DOCS + "file-input-methods; recorded: 2.5-flash, and 2.0-flash on Vertex",
        ),
        JSON_WITH_TOOLS: Trait(
            "Takes a response schema together with function declarations (3 and later)",
            "facts: 'not with tools on older models'",
        ),
        IMAGE_OUTPUT: Trait("Answers with images", _DOCS + "image-generation"),
        PENALTIES: Trait(
            "Takes presence and frequency penalties (2.0); others refuse all but 0",
            "google-gemini/cookbook issue 1290: 'Penalty is not enabled for this model'",
        ),
        LOGPROBS: Trait("Takes `responseLogprobs`", "recorded: 2.5-flash on Vertex"),
        SERVICE_TIER: Trait("Takes `serviceTier` standard, flex, priority", "google-genai 3.4 types"),
        EMBEDS_ONE: Trait(
            "Embeds one text a request, through `embedContent`", "recorded: gemini-embedding-2 on Vertex"
        ),
    }
)
