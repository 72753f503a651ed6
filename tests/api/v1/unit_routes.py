"""Aliases for what is not chat, each with a price of its own unit, and their likes without one."""

from typing import Final
from uuid import UUID, uuid5

from application.catalogue import add_deployment, publish_prices, set_route
from application.command import Ports
from domain.catalogue.deployment_spec import Operation
from domain.catalogue.prices import PictureText, PriceText
from domain.catalogue.provider import provider_id_of
from domain.fact import SYSTEM

_NAMES: Final = UUID("0f6ec0de-6f5e-4f59-9d8d-3f0a1c5b7a22")
BROKEN: Final = "sandbox-fault-status_500"
SILENT: Final = "sandbox-fault-usage_missing"

EMBED, MODERATE, RANK, RANK_BY_TOKENS = "embed", "omni-moderation-latest", "rank", "rank-by-tokens"
PICTURE, PICTURE_BY_TOKENS, VOICE, LISTEN = "picture", "picture-by-tokens", "voice", "listen"
LISTEN_BY_TOKENS, SILENT_PICTURE = "listen-by-tokens", "silent-picture"
PICTURE_BY_LOOK = "picture-by-look"

SERVES: Final[dict[str, tuple[Operation, ...]]] = {
    "sandbox-embed": ("embeddings",),
    "sandbox-moderation": ("moderations",),
    "sandbox-rerank": ("rerank",),
    "sandbox-image": ("images", "image-edits"),
    "sandbox-voice": ("speech",),
    "sandbox-listener": ("transcriptions", "translations"),
    BROKEN: ("embeddings", "images", "image-edits", "speech", "transcriptions"),
    SILENT: ("images",),
}


def price(
    *,
    tokens: tuple[str, str] = ("0", "0"),
    request: str = "0",
    image: str | None = None,
    audio_second: str | None = None,
    characters: str | None = None,
    search: str | None = None,
    pictures: tuple[PictureText, ...] = (),
) -> PriceText:
    """`tokens`: of the prompt and of the answer."""
    return PriceText(
        input=tokens[0],
        cached_input=tokens[0],
        cache_write=tokens[0],
        output=tokens[1],
        request=request,
        image=image,
        audio_second=audio_second,
        characters=characters,
        search=search,
        pictures=pictures,
    )


ROUTES: Final[dict[str, tuple[tuple[str, ...], PriceText]]] = {
    EMBED: (("sandbox-embed",), price(tokens=("0.02", "0"))),
    MODERATE: (("sandbox-moderation",), price(request="100")),
    RANK: (("sandbox-rerank",), price(search="0.002")),
    RANK_BY_TOKENS: (("sandbox-rerank",), price(tokens=("0.05", "0"))),
    PICTURE: (("sandbox-image",), price(image="0.04")),
    PICTURE_BY_LOOK: (
        ("sandbox-image",),
        price(
            pictures=(
                PictureText(size="1024x1024", quality="low", image="0.01"),
                PictureText(size="1024x1024", quality="high", image="0.16"),
                PictureText(size="1536x1024", image="0.25"),
            )
        ),
    ),
    PICTURE_BY_TOKENS: (("sandbox-image",), price(image="0", tokens=("5", "40"))),
    SILENT_PICTURE: ((SILENT,), price(image="0", tokens=("5", "40"))),
    VOICE: (("sandbox-voice",), price(characters="15")),
    LISTEN: (("sandbox-listener",), price(audio_second="0.0001")),
    LISTEN_BY_TOKENS: (("sandbox-listener",), price(audio_second="0", tokens=("6", "10"))),
    "second/embed": ((BROKEN, "sandbox-embed"), price(tokens=("0.02", "0"))),
    "second/picture": ((BROKEN, "sandbox-image"), price(image="0.04")),
    "second/voice": ((BROKEN, "sandbox-voice"), price(characters="15")),
    "second/listen": ((BROKEN, "sandbox-listener"), price(audio_second="0.0001")),
    "unpriced/rank": (("sandbox-rerank",), price(tokens=("0", "1"))),
    "unpriced/picture": (("sandbox-image",), price(tokens=("5", "40"))),
    "unpriced/voice": (("sandbox-voice",), price(tokens=("5", "40"))),
    "unpriced/listen": (("sandbox-listener",), price(tokens=("5", "40"))),
}


def add_unit_routes(ports: Ports, provider: str) -> None:
    for model, serves in SERVES.items():
        add_deployment.handle(
            add_deployment.AddDeployment(
                deployment_id=uuid5(_NAMES, model),
                provider_id=provider_id_of(provider),
                upstream_model=model,
                context_tokens=8_192,
                output_tokens_max=1_000,
                serves=serves,
            ),
            actor=SYSTEM,
            ports=ports,
        )
    for alias, (models, _) in ROUTES.items():
        targets = tuple(set_route.Target(deployment_id=uuid5(_NAMES, model)) for model in models)
        set_route.handle(set_route.SetRoute(alias=alias, targets=targets), actor=SYSTEM, ports=ports)
    entries = {alias: priced for alias, (_, priced) in ROUTES.items()}
    publish_prices.handle(
        publish_prices.PublishPrices(entries=entries, note="test"), actor=SYSTEM, ports=ports
    )
