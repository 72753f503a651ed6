"""The presets that ship: they hold together, and what they say can be registered, added and published as it stands."""

from datetime import date

import pytest

from application.catalogue.list_presets import find_preset, list_presets
from application.catalogue.presets.preset import Preset, PresetModel
from application.dialects.anthropic.upstream import traits as anthropic
from application.dialects.gemini import traits as gemini
from application.dialects.openai.chat.upstream import TRAITS as OPENAI_TRAITS
from application.speech.messages import REASONING
from domain.catalogue.base_url import checked_base_url
from domain.catalogue.prices import price_of, publish
from domain.fact import Stamp
from domain.refusal import NotFound
from domain.text import alias_name, slug

PRESETS = {preset.id: preset for preset in list_presets()}
FACTS_OF = date(2026, 11, 24)
MODELS = {
    "alibaba": 43,
    "anthropic": 21,
    "deepseek": 8,
    "gemini": 38,
    "minimax": 6,
    "mistral": 70,
    "moonshot": 4,
    "openai": 99,
    "xai": 46,
    "zai": 17,
}

each = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


def model(preset_id: str, model_id: str) -> PresetModel:
    (found,) = (one for one in PRESETS[preset_id].models if one.id == model_id)
    return found


def test_ten_providers_with_their_models() -> None:
    """As many as the facts have, without those that are gone or that no endpoint here could ask for."""
    assert {preset.id: len(preset.models) for preset in PRESETS.values()} == MODELS
    assert all(preset.read == FACTS_OF for preset in PRESETS.values())


def test_a_preset_that_is_not_there() -> None:
    """By any name, a path among them."""
    for name in ("acme", "", "../preset", "data/openai"):
        with pytest.raises(NotFound):
            find_preset(name)
    assert find_preset("openai") == PRESETS["openai"]


@each
def test_every_role_has_a_model_with_a_price(preset: Preset) -> None:
    """Roles are what is enabled unless models are named; premium, coding, fast and low-cost are in each."""
    assert {"premium", "coding", "fast", "low-cost"} <= set(preset.roles)
    by_id = {one.id: one for one in preset.models}
    for role, name in preset.roles.items():
        assert by_id[name].prices, name
        assert by_id[name].kind == ("embedding" if role == "embedding" else "chat"), name


@each
def test_every_address_may_be_registered(preset: Preset) -> None:
    """Also as it is written: the provider's event has the same text."""
    slug(preset.id, field="id")
    for endpoint in preset.endpoints:
        assert "default" in endpoint.base_urls
        assert set(endpoint.unverified_regions) <= set(endpoint.base_urls)
        for region, url in endpoint.base_urls.items():
            slug(region, field="region")
            assert checked_base_url(url).text == url
    assert len({endpoint.dialect for endpoint in preset.endpoints}) == len(preset.endpoints)


@each
def test_keys_go_into_the_header_of_the_dialect(preset: Preset) -> None:
    """As the directory sends them."""
    headers = {"openai": "authorization", "anthropic": "x-api-key", "gemini": "x-goog-api-key"}
    for endpoint in preset.endpoints:
        assert endpoint.auth.header == headers[endpoint.dialect]
        assert endpoint.auth.scheme == ("Bearer" if endpoint.dialect == "openai" else "")


@each
def test_the_first_endpoint_has_a_free_probe(preset: Preset) -> None:
    """A GET that lists models, and tells a bad key: with 400 at Gemini and xAI, with 401 at all others."""
    probe = preset.endpoints[0].probe
    assert probe is not None
    assert probe.path.partition("?")[0] in {"/models", "/v1/models"}
    assert (probe.expect, probe.bad_key) == (200, 400 if preset.id in {"gemini", "xai"} else 401)


@each
def test_every_price_can_be_published(preset: Preset) -> None:
    """By the rules of the price list, each with the day it was read and in the order of days."""
    stamp = Stamp(now_us=1, actor="system")
    for one in preset.models:
        alias_name(one.id)
        for price in one.prices:
            entries = {one.id: price.usd}
            publish(entries=entries, effective_from_us=None, approved_by="a", note="n", stamp=stamp)
            assert price.read == FACTS_OF
            assert price.source is None or price.source.startswith("https://")
        days = [price.from_day for price in one.prices]
        assert days[:1] in ([], [None])
        assert days[1:] == sorted(filter(None, days[1:]))


@each
def test_every_model_can_be_asked_for(preset: Preset) -> None:
    """Behind an endpoint of its provider, once, and not one that is gone."""
    offered = {operation for endpoint in preset.endpoints for operation in endpoint.operations}
    names = [one.id for one in preset.models]
    assert len(set(names)) == len(names)
    for one in preset.models:
        assert one.operations, one.id
        assert set(one.operations) <= offered, one.id
        assert one.deprecated is None or one.deprecated >= FACTS_OF, one.id
        assert one.kind != "chat" or (one.context_tokens and one.output_tokens_max), one.id


@each
def test_traits_are_words_of_the_dialect(preset: Preset) -> None:
    """A misspelt trait would be ignored in silence."""
    words = {
        "openai": OPENAI_TRAITS | {REASONING},
        "anthropic": frozenset(anthropic.TRAITS),
        "gemini": frozenset(gemini.TRAITS),
    }
    for endpoint in preset.endpoints:
        assert set(endpoint.traits) <= words[endpoint.dialect]
    for one in preset.models:
        assert set(one.traits) <= words[preset.endpoints[0].dialect], one.id


def test_traits_follow_the_tables() -> None:
    """Anthropic's from the table of families; Gemini's by what its table says of generations."""
    for one in PRESETS["anthropic"].models:
        assert frozenset(one.traits) == anthropic.traits_of(one.id), one.id
        assert one.traits, one.id
    argon, embedding = model("gemini", "gemini-4-argon"), model("gemini", "gemini-embedding-2")
    assert gemini.THINKING_LEVEL in argon.traits
    assert gemini.LEVEL_MINIMAL not in argon.traits
    assert gemini.THINKING_BUDGET not in argon.traits
    assert embedding.traits == (gemini.EMBEDS_ONE,)
    assert gemini.ALWAYS_THINKS in model("gemini", "gemini-2.5-pro").traits


def test_no_price_has_a_song_or_a_picture_for_nothing() -> None:
    """What costs nothing is said to be free by its provider: a language model, or moderation."""
    free = {
        one.id
        for preset in PRESETS.values()
        for one in preset.models
        for price in one.prices
        if {price.usd.input, price.usd.output} == {"0"}
        and not (price.usd.image or price.usd.audio_second or price.usd.characters)
    }
    assert free == {
        "gemini-exp-1114",
        "gemini-exp-1206",
        "gemma-3-27b-it",
        "gemma-4-26b-a4b-it",
        "gemma-4-31b-it",
        "glm-4.5-flash",
        "glm-4.7-flash",
        "labs-leanstral-1-5-1",
        "learnlm-1.5-pro-experimental",
        "mistral-moderation-2603",
        "omni-moderation-2024-09-26",
        "omni-moderation-latest",
    }


@each
def test_what_is_not_chat_has_a_price_for_its_unit(preset: Preset) -> None:
    """The gateway refuses what has none: a zero says that tokens pay."""
    for one in preset.models:
        for price in one.prices:
            usd = price.usd
            if {"images", "image-edits"} & set(one.operations):
                assert usd.image is not None or usd.pictures, one.id
            if "speech" in one.operations:
                assert (usd.characters, usd.audio_second) != (None, None), one.id
            if {"transcriptions", "translations"} & set(one.operations):
                assert usd.audio_second is not None, one.id


def test_a_price_in_every_dimension() -> None:
    """Two lifetimes of a written cache, whole-request tiers, service tiers, searches."""
    (astra,) = model("openai", "gpt-6-astra").prices
    price = price_of(astra.usd, field="p")
    assert (price.cache_write_nano_per_million, price.cache_write_long_nano_per_million) == (
        12_500_000_000,
        25_000_000_000,
    )
    assert price.tokens_for(272_001).output_nano_per_million == 75 * 10**9
    assert price.service_tiers == {"flex": 500_000, "priority": 2_000_000, "ultrafast": 6_000_000}
    assert price.search_nano_per_million == 10_000 * 10**9
    haiku = price_of(model("anthropic", "claude-haiku-5-5").prices[0].usd, field="p")
    assert haiku.tokens_for(100_000).input_nano_per_million == 100_000_000
    assert haiku.tokens_for(100_001).input_nano_per_million == 500_000_000
    whisper, speech = model("openai", "whisper-1").prices[0].usd, model("openai", "tts-1").prices[0].usd
    assert (whisper.audio_second, speech.characters) == ("0.0001", "15")
    assert model("xai", "grok-imagine-image-2.0").prices[0].usd.image == "0.06"


def test_ranges_of_prompts_are_tiers() -> None:
    """Of Qwen: the first range is the price, each further one begins above its bound."""
    price = price_of(model("alibaba", "qwen3-coder-plus").prices[0].usd, field="p")
    assert price.input_nano_per_million == 10**9
    assert [tier.above_input_tokens for tier in price.tiers] == [32_000, 128_000, 256_000]
    assert price.tokens_for(256_001).output_nano_per_million == 60 * 10**9


MONDAY_US = 1_763_942_400_000_000  # 2025-11-24, midnight UTC
HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("hours", "factor_ppm"),
    [
        *((0, 500_000), (1, 1_000_000), (3.9, 1_000_000), (4, 500_000), (6, 1_000_000), (10, 500_000)),
        *((23.9, 500_000), (5 * 24 + 2, 500_000), (6 * 24 + 8, 500_000), (7 * 24 + 8, 1_000_000)),
    ],
)
def test_the_peak_of_deepseek_is_its_price_and_the_rest_half_of_it(hours: float, factor_ppm: int) -> None:
    """01-04 and 06-10 UTC from Monday to Friday."""
    price = price_of(model("deepseek", "deepseek-v4-pro").prices[0].usd, field="p")
    assert price.input_nano_per_million == 1_320_000_000
    assert price.window_ppm(MONDAY_US + int(hours * HOUR_US)) == factor_ppm


def test_a_price_that_is_announced() -> None:
    """gemini-4-argon doubles in December; what it rests on is not the provider's page."""
    now, december = model("gemini", "gemini-4-argon").prices
    assert (now.usd.input, now.usd.cached_input, now.usd.output) == ("2", "0.1", "10")
    assert (december.usd.input, december.usd.cached_input, december.usd.output) == ("4", "0.2", "20")
    assert december.from_day == date(2026, 12, 1)
    assert not december.verified
    assert december.notes


def test_no_kind_of_token_is_below_its_provider_s_price() -> None:
    """Pictures in an answer, thoughts, and sound where that is a model's work: the dearest counts, and a note says so."""
    image, thinking = model("openai", "gpt-image-2"), model("alibaba", "qwen-plus-latest")
    audio = model("openai", "gpt-audio")
    assert (image.prices[0].usd.input, image.prices[0].usd.output) == ("8", "30")
    assert thinking.prices[0].usd.output == "4"
    assert (audio.prices[0].usd.input, audio.prices[0].usd.output) == ("32", "64")
    assert all(one.prices[0].notes for one in (image, thinking, audio))


def test_figures_that_sources_disagree_on_have_a_note() -> None:
    """As the facts tell them."""
    for preset_id, name in (("mistral", "mistral-large-4"), ("minimax", "MiniMax-M3")):
        assert any(
            character.isdigit() for note in model(preset_id, name).prices[0].notes for character in note
        )
