"""A form's cost is judged by its files: a field must not bring another one from elsewhere."""

import pytest

from application.dialects.openai.audio.transcription import parse_transcription
from application.dialects.openai.images import parse_image_edit
from application.dialects.openai.multipart.form import FormReader
from application.wire.errors import InvalidRequest


def _form(upload: str, **values: str) -> FormReader:
    parts = [
        f'name="{name}"\r\n\r\n{value}' for name, value in ({"model": "m", "prompt": "p"} | values).items()
    ]
    parts.append(f'name="{upload}"; filename="a.wav"\r\n\r\nRIFF')
    reader = FormReader(b"b")
    body = "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    reader.feed(f"{body}--b--\r\n".encode())
    reader.finish()
    return reader


@pytest.mark.parametrize("name", ["url", "file_url", "file_id", "file"])
def test_sound_from_elsewhere_is_refused(name: str) -> None:
    """Groq takes `url`, Mistral `file_url` and `file_id`: ten hours beside a file of four bytes, or another's recording."""
    assert parse_transcription(_form("file"), upload_bytes=4).most.audio_ms
    with pytest.raises(InvalidRequest) as refused:
        parse_transcription(_form("file", **{name: "https://example.com/long.mp3"}), upload_bytes=4)
    assert refused.value.param == name


@pytest.mark.parametrize("name", ["image", "image[]", "image_url", "file_id"])
def test_a_picture_from_elsewhere_is_refused(name: str) -> None:
    """Pictures are counted by the files."""
    assert parse_image_edit(_form("image")).inputs == 1
    with pytest.raises(InvalidRequest) as refused:
        parse_image_edit(_form("image", **{name: "file-of-another"}))
    assert refused.value.param == name
