"""Prices of the facts as price texts; for `tools.gen_presets`.

Where a provider tells kinds apart that a price does not (sound, pictures, thoughts; service tiers whose factor differs by
kind), the dearest of those that the model's own work uses counts, and a note says so: who sells at this price never loses.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

Rates = dict[str, float]

_VERIFIED: Final = frozenset({"claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1", "grok-4.7"})
"""Whose prices were compared with the vendor's page, and not only taken from the list that names it."""
_VIA: Final = "litellm 1.109.1"
_NAMES: Final = {
    "input": "input",
    "cached_input": "cache_read",
    "cache_write": "cache_write",
    "output": "output",
}
_LONG: Final = ("cache_write_1h", "cache_write_12h")
_SERVICE_TIERS: Final = ("flex", "priority", "ultrafast")
_NANO: Final = Decimal("0.000000001")
_PPM: Final = Decimal("0.000001")
_ARGON: Final = "gemini-4-argon"
_ARGON_SOURCE: Final = "https://github.com/BerriAI/litellm/discussions/46238"
_ARGON_VIA: Final = "TokenMeter 0.13.1"
_ARGON_FROM: Final = "2026-12-01"
_ARGON_RATES: Final[Rates] = {"input": 4.0, "output": 20.0, "cache_read": 0.2}
_CONFLICTS: Final = {
    "mistral-large-4": "another source has 0.68 in and 2.09 out, and the context as 524288",
    _ARGON: "the price source has no schedule; that the price doubles is from two other places",
    "MiniMax-M3": "a reseller has 1.20 in, 4.80 out, 0.24 cached above 524288 tokens",
}


def dated_prices(provider: str, kind: str, model: dict[str, Any], *, today: str) -> list[dict[str, Any]]:
    """The prices of a model, that of today first; none if there is no figure."""
    price = model["price"]
    notes: list[str] = []
    text = _price(kind, model, price, notes)
    if text is None:
        return []
    if model["id"] in _CONFLICTS:
        notes.append(_CONFLICTS[model["id"]])
    if provider == "deepseek" and price.get("off_peak"):
        text["windows"] = _windows(price, notes)
    source = model["source"] if model["source"].startswith("https://") else None
    verified = model["id"] in _VERIFIED
    prices = [_entry(text, source=source, via=_VIA, read=today, verified=verified, notes=notes)]
    if model["id"] == _ARGON:
        later = text | _tokens(_ARGON_RATES, kind, [])
        more = _entry(later, source=_ARGON_SOURCE, via=_ARGON_VIA, read=today, verified=False, notes=notes)
        prices.append({"from": _ARGON_FROM, **more})
    return prices


def region_factors(model: dict[str, Any]) -> dict[str, str]:
    """What a region costs more, by its name in the preset."""
    return {
        region: _plain(model["price"][f"uplift_{region}"])
        for region in ("eu", "us")
        if model["price"].get(f"uplift_{region}") is not None
    }


def _entry(
    text: dict[str, Any], *, source: str | None, via: str, read: str, verified: bool, notes: list[str]
) -> dict[str, Any]:
    entry = {"usd": text, "source": source, "via": via, "read": read, "verified": verified, "notes": notes}
    return {name: value for name, value in entry.items() if value not in (None, [])}


def _price(kind: str, model: dict[str, Any], price: dict[str, Any], notes: list[str]) -> Any:
    ranges = price.get("ranges")
    rates = ranges[0]["rates"] if ranges else price["standard"]
    others = _others(kind, price.get("other_usd") or {})
    if kind == "chat" and not rates.keys() >= {"input", "output"}:
        return None
    if not rates and not others:
        return None
    if rates.get("output_image_token"):
        others["image"] = "0"  # the same picture, told in tokens: they pay for it
    work = _work_of(kind, model["id"])
    text: dict[str, Any] = _tokens(_folded(rates, notes, work=work), kind, notes)
    text |= {"request": "0", **others}
    if others and rates and kind in {"speech", "transcription"}:
        notes.append("by tokens or by seconds, whichever the answer tells; never both")
    search = (price.get("per_call_usd") or {}).get("search_context_cost_per_query")
    if search:
        text["search"] = _plain(max(search.values()))
    steps = [(one["prompt_tokens_from"], one["rates"]) for one in (ranges or ())[1:]]
    steps += [(one["prompt_tokens_above"], one["rates"]) for one in price.get("tiers") or ()]
    if steps:
        text["tiers"] = [
            {"above_input_tokens": above, **_tokens(_folded(step, notes, work=work), kind, notes)}
            for above, step in steps
        ]
    factors = _service_tiers(price, notes)
    return text | ({"service_tiers": factors} if factors else {})


def _work_of(kind: str, model_id: str) -> str | None:
    """What a model is for, if not text: the kind of token that its price must cover."""
    if kind == "image":
        return "image_token"
    return "audio" if kind in {"speech", "transcription"} or "audio" in model_id else None


def _folded(rates: Rates, notes: list[str], *, work: str | None) -> Rates:
    """Sound, pictures and thoughts within input and output."""
    folded = dict(rates)
    for name in ("input", "output"):
        plain = rates.get(name, 0.0)
        own = rates.get(f"{name}_{work}", 0.0)
        if own > plain:
            folded[name] = own
            if name == "input":
                folded.pop(
                    "cache_read", None
                )  # that of text; what the dearer kinds cost read back is not told
            if plain:
                _note(notes, f"{name} of text alone costs {_plain(plain)}")
        for kind, words in (("audio", "sound"), ("image_token", "pictures")):
            rate = rates.get(f"{name}_{kind}", 0.0)
            if rate > folded.get(name, 0.0):
                _note(notes, f"{name} of {words} costs {_plain(rate)}, which this price does not have")
    if rates.get("reasoning", 0.0) > rates.get("output", 0.0):
        folded["output"] = rates["reasoning"]
        _note(notes, f"output without thinking costs {_plain(rates['output'])}")
    return folded


def _tokens(rates: Rates, kind: str, notes: list[str]) -> dict[str, str]:
    """What tokens cost. A prompt that is kept, or read back, costs what a fresh one does unless there is a price."""
    fresh = rates.get("input", 0.0)
    if kind == "embedding":
        rates = {**rates, "output": rates.get("output", 0.0)}
    text = {name: _plain(rates.get(key, 0.0)) for name, key in _NAMES.items()}
    if "cache_read" not in rates:
        text["cached_input"] = _plain(fresh)
    if not rates.get("cache_write"):
        text["cache_write"] = _plain(fresh)
        if fresh and "cache_write" in rates:
            _note(notes, "writing to the cache is listed as free; here it costs what fresh input does")
    for name in _LONG:
        if name in rates:
            text["cache_write_long"] = _plain(rates[name])
    return text


def _others(kind: str, usd: Rates) -> dict[str, str]:
    found: dict[str, str] = {}
    if kind == "image" and usd.get("input_cost_per_image", 0) and "output_cost_per_image" not in usd:
        found["image"] = _plain(usd["input_cost_per_image"])
    if kind == "image" and "output_cost_per_image" in usd:
        found["image"] = _plain(usd["output_cost_per_image"])
    seconds = [usd[name] for name in ("input_cost_per_second", "output_cost_per_second") if name in usd]
    if seconds:
        # One and the same second, listed under both names by some.
        found["audio_second"] = _plain(max(seconds))
    if kind == "speech" and "input_cost_per_character" in usd:
        found["characters"] = _plain(Decimal(repr(usd["input_cost_per_character"])) * 1_000_000)
    return found


def _service_tiers(price: dict[str, Any], notes: list[str]) -> dict[str, str]:
    factors: dict[str, str] = {}
    tiers: list[dict[str, Any]] = price.get("tiers") or []
    for name in _SERVICE_TIERS:
        listed = (price.get("service_tiers") or {}).get(name)
        if not listed:
            continue
        ratios = _ratios(listed.get("standard") or {}, price["standard"])
        for tier in tiers:
            above = listed.get(f"above_{tier['prompt_tokens_above'] // 1000}k")
            ratios += _ratios(above or {}, tier["rates"])
        if not ratios:
            continue
        if len(set(ratios)) > 1:
            _note(
                notes, f"{name} has factors from {min(ratios).normalize():f} to {max(ratios).normalize():f}"
            )
        factors[name] = f"{max(ratios).normalize():f}"
    return factors


def _ratios(rates: Rates, standard: Rates) -> list[Decimal]:
    return [
        (Decimal(repr(rate)) / Decimal(repr(standard[name]))).quantize(_PPM, rounding=ROUND_CEILING)
        for name, rate in rates.items()
        if standard.get(name)
    ]


def _windows(price: dict[str, Any], notes: list[str]) -> list[dict[str, Any]]:
    """Off-peak as a factor on the listed prices, which are those of the peak."""
    off = price["off_peak"]
    ratios = _ratios(off["rates"], price["standard"])
    if len(set(ratios)) > 1:
        _note(notes, "off-peak has several factors; the highest counts")
    windows = []
    for window in off["windows_utc"]:
        hours = window["hours_utc"]
        for span in [hours] if isinstance(hours, str) else hours:
            start, end = (_minute(one) for one in span.split("-"))
            windows.append(
                {
                    "weekdays": [day - 1 for day in window["weekdays"]],
                    "from_minute": start,
                    "to_minute": end or 24 * 60,
                    "factor": f"{max(ratios).normalize():f}",
                }
            )
    return windows


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _note(notes: list[str], words: str) -> None:
    if words not in notes:
        notes.append(words)


def _plain(number: float | Decimal) -> str:
    """The decimal that was written, up to nano-dollars and never below."""
    exact = number if isinstance(number, Decimal) else Decimal(repr(number))
    return f"{exact.quantize(_NANO, rounding=ROUND_CEILING).normalize():f}"
