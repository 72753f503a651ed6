"""Images and documents of chat messages."""

import base64
from typing import Any

import pytest

from application.wire.errors import InvalidRequest

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 9).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"\0" * 12).decode()
WEBP = base64.b64encode(b"RIFF\x10\0\0\0WEBPVP8 ").decode()
WAVE = base64.b64encode(b"RIFF\x10\0\0\0WAVEfmt ").decode()
PDF = base64.b64encode(b"%PDF-1.7 rest of it").decode()
UNKNOWN = base64.b64encode(b"something else here").decode()


def block(body: Any, part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body(messages=[{"role": "user", "content": [part]}])["messages"][0]["content"][0]
    return found


def image(url: object, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url} | more}


def file(**members: Any) -> dict[str, Any]:
    return {"type": "file", "file": members}


def test_an_https_url_is_passed_on(body: Any) -> None:
    """The provider fetches it."""
    found = block(body, image("https://example.org/a.png"))
    assert found == {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}


@pytest.mark.parametrize(
    ("declared", "data", "kind"),
    [
        ("image/png", PNG, "image/png"),
        ("image/jpeg", PNG, "image/png"),  # a wrong declaration is refused there
        ("image/png", JPEG, "image/jpeg"),
        ("image/jpg", UNKNOWN, "image/jpeg"),
        ("application/octet-stream", WEBP, "image/webp"),
        ("IMAGE/PNG;charset=utf-8", UNKNOWN, "image/png"),
        ("image/gif", UNKNOWN, "image/gif"),
    ],
)
def test_a_data_url_is_taken_apart(body: Any, declared: str, data: str, kind: str) -> None:
    """The media type is that of the bytes where they tell, else as declared."""
    found = block(body, image(f"data:{declared};base64,{data}"))
    assert found["source"] == {"type": "base64", "media_type": kind, "data": data}


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.png",
        "file:///etc/hosts",
        "ftp://example.org/a.png",
        f"data:image/tiff;base64,{UNKNOWN}",
        f"data:audio/wav;base64,{WAVE}",
        f"data:image/png,{PNG}",
        "data:image/png;base64,",
        "data:image/png;base64",
        "data:image/png;base64,ä",
        "",
    ],
)
def test_other_images_are_refused_without_repeating_them(ask: Any, url: str) -> None:
    """The path of the URL is named."""
    with pytest.raises(InvalidRequest) as refusal:
        ask(messages=[{"role": "user", "content": [image(url)]}])
    assert refusal.value.param == "messages[0].content[0].image_url.url"
    assert not url or url not in refusal.value.message


def test_detail_is_dropped_and_named(ask: Any) -> None:
    """Unless it asked for nothing."""
    for detail, dropped in (("high", ("image_url.detail",)), ("auto", ()), (None, ())):
        asked = ask(messages=[{"role": "user", "content": [image("https://example.org/a", detail=detail)]}])
        assert asked.dropped == dropped


def test_images_may_stand_in_results_and_nowhere_else(ask: Any, body: Any) -> None:
    """The assistant and the system say text."""
    calls = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]
    turns = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": [image("https://example.org/a")]},
    ]
    assert body(messages=turns)["messages"][2]["content"][0]["content"][0]["type"] == "image"
    for role in ("assistant", "system"):
        with pytest.raises(InvalidRequest):
            ask(messages=[{"role": role, "content": [image("https://example.org/a")]}])


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (f"data:application/pdf;base64,{PDF}", {"type": "base64", "media_type": "application/pdf", "data": PDF}),
        (PDF, {"type": "base64", "media_type": "application/pdf", "data": PDF}),
        ("data:text/csv;base64,YSxi", {"type": "text", "media_type": "text/plain", "data": "a,b"}),
        ("https://example.org/a.pdf", {"type": "url", "url": "https://example.org/a.pdf"}),
    ],
)  # fmt: skip
def test_a_file_becomes_a_document(body: Any, value: str, source: dict[str, Any]) -> None:
    """PDF, plain text, or a URL of one; its name is the title."""
    found = block(body, file(file_data=value, filename="a.pdf"))
    assert found == {"type": "document", "source": source, "title": "a.pdf"}
    assert "title" not in block(body, file(file_data=value))


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"file_id": "file-1"}, "file_id"),
        ({"file_data": f"data:application/zip;base64,{UNKNOWN}"}, "file_data"),
        ({"file_data": UNKNOWN}, "file_data"),
        ({"file_data": "abc"}, "file_data"),
        ({"file_data": "data:text/plain;base64,/w=="}, "file_data"),
        ({"file_data": "data:text/plain;base64,%%%"}, "file_data"),
        ({"file_data": "http://example.org/a.pdf"}, "file_data"),
        ({"file_data": 7}, "file_data"),
    ],
)
def test_other_files_are_refused(ask: Any, members: dict[str, Any], param: str) -> None:
    """A file that lies with another provider, kinds that are not taken, text that is none."""
    with pytest.raises(InvalidRequest) as refusal:
        ask(messages=[{"role": "user", "content": [file(**members)]}])
    assert refusal.value.param == f"messages[0].content[0].file.{param}"
