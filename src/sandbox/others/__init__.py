"""The endpoints beside chat and embeddings: deterministic answers whose units can be counted again from the request."""

from collections.abc import Callable
from typing import Final

from sandbox.others import lists, pictures, sound
from sandbox.others.made import Made
from sandbox.tokens import Tokens

Make = Callable[[bytes, Tokens], Made]

MAKERS: Final[dict[bytes, Make]] = {
    b"/v1/moderations": lists.moderation,
    b"/v1/rerank": lists.rerank,
    b"/v1/images/generations": pictures.generation,
    b"/v1/images/edits": pictures.edit,
    b"/v1/audio/speech": sound.speech,
    b"/v1/audio/transcriptions": sound.transcription,
    b"/v1/audio/translations": sound.translation,
}
"""By path: a body understood and answered. A `Refused` says what is wrong with it."""
