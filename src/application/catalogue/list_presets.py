"""What can be enabled by `EnablePreset`: providers with their models, roles and prices in USD."""

from datetime import date

import msgspec

from application.catalogue.presets.library import read_preset, read_presets
from application.catalogue.presets.preset import Preset, Role


class PresetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A preset without its models."""

    id: str
    name: str
    dialects: tuple[str, ...]  #: the first is used unless another is asked for
    regions: tuple[str, ...]
    roles: dict[Role, str]  #: model ids
    models: int
    read: date  #: the day of the facts
    notes: tuple[str, ...]


def list_presets() -> tuple[Preset, ...]:
    """All presets, by id. It reads files: call it in a thread."""
    return read_presets()


def find_preset(preset_id: str) -> Preset:
    """One preset. Raises: NotFound."""
    return read_preset(preset_id)


def summary_of(preset: Preset) -> PresetSummary:
    """What tells presets apart."""
    return PresetSummary(
        id=preset.id,
        name=preset.name,
        dialects=tuple(one.dialect for one in preset.endpoints),
        regions=tuple(dict.fromkeys(region for one in preset.endpoints for region in one.base_urls)),
        roles=preset.roles,
        models=len(preset.models),
        read=preset.read,
        notes=preset.notes,
    )
