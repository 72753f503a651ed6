"""Reads the presets that ship with this version."""

from importlib.resources import files
from typing import Final

import msgspec

from application.catalogue.presets.preset import Preset
from domain.refusal import NotFound

_DATA: Final = files(__package__) / "data"
_SUFFIX: Final = ".json"


def read_presets() -> tuple[Preset, ...]:
    """All of them, by id."""
    names = sorted(one.name for one in _DATA.iterdir() if one.name.endswith(_SUFFIX))
    return tuple(_read(name) for name in names)


def read_preset(preset_id: str) -> Preset:
    """One of them. Raises: NotFound."""
    name = preset_id + _SUFFIX
    if name not in {one.name for one in _DATA.iterdir()}:
        raise NotFound("preset", preset_id)
    return _read(name)


def _read(name: str) -> Preset:
    return msgspec.json.decode((_DATA / name).read_bytes(), type=Preset)
