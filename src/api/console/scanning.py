"""Codes that a phone's camera reads off a page: black on white in every look, since that is what cameras read."""

from typing import Final

import segno

_SCALE: Final = 6
_BORDER: Final = 4  #: in modules; the standard's quiet zone


def scannable(text: str) -> str:
    """A picture of it, as the address of an image."""
    code = segno.make(text, error="m", micro=False)
    return code.svg_data_uri(scale=_SCALE, border=_BORDER, light="#fff", dark="#000")
