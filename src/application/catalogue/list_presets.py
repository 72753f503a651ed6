"""What can be enabled by `EnablePreset`: providers with their models, roles and prices in USD."""

from application.catalogue.presets.library import read_preset, read_presets
from application.catalogue.presets.preset import Preset


def list_presets() -> tuple[Preset, ...]:
    """All presets, by id. It reads files: call it in a thread."""
    return read_presets()


def find_preset(preset_id: str) -> Preset:
    """One preset. Raises: NotFound."""
    return read_preset(preset_id)
