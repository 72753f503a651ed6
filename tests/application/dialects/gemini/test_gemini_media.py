"""Pictures, sound and files in a message."""

from typing import Any

import pytest

from tests.application.dialects.gemini.gemini_world import Json, body_of, refused


def chat(part: Json) -> Json:
    return {"messages": [{"role": "user", "content": [part]}]}


def part_of(part: Json, *traits: str) -> Json:
    made: Json = body_of(chat(part), *traits)["contents"][0]["parts"][0]
    return made


def image(url: Any) -> Json:
    return {"type": "image_url", "image_url": {"url": url, "detail": "high"}}


def test_data_urls_are_sent_inline() -> None:
    """With the type that they say, parameters dropped; `detail` has no equal."""
    assert part_of(image("data:image/png;base64,iVBO")) == {
        "inlineData": {"mimeType": "image/png", "data": "iVBO"}
    }
    assert part_of(image("DATA:Image/JPEG;charset=x;BASE64,AA=="))["inlineData"]["mimeType"] == "image/jpeg"
    assert part_of({"type": "image_url", "image_url": "data:image/png;base64,AA"})["inlineData"]


@pytest.mark.parametrize(
    "url", ["data:", "data:image/png,AA", "data:;base64,AA", "data:image/png;base64,", "data:png;base64,AA"]
)
def test_other_data_urls_are_refused(url: str) -> None:
    """Only base64 with a type says what it is."""
    assert refused(chat(image(url))) == ("invalid_value", "messages[0].content[0].image_url.url")


def test_nothing_is_fetched_for_a_model_that_fetches_nothing() -> None:
    """An https address without the trait is refused; another deployment may take it."""
    url = "https://example.com/a.png"
    assert refused(chat(image(url))) == ("unsupported_parameter", "messages[0].content[0].image_url.url")
    assert part_of(image(url), "media_urls") == {"fileData": {"fileUri": url, "mimeType": "image/png"}}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://example.com/a/b.JPG?x=1", "image/jpeg"),
        ("https://www.youtube.com/watch?v=1", "video/mp4"),
        ("https://youtu.be/1", "video/mp4"),
        ("https://example.com:8443/doc.pdf", "application/pdf"),
    ],
)
def test_an_address_says_what_it_holds_where_it_can(url: str, kind: str) -> None:
    """By its ending."""
    part = image(url) if kind.startswith("image/") else {"type": "video_url", "video_url": url}
    assert part_of(part, "media_urls")["fileData"]["mimeType"] == kind


def test_an_address_that_does_not_say_what_it_holds_needs_a_word_beside_it() -> None:
    """Nobody goes to look: the refusal names the member that is missing, and two names of it are taken."""
    url = "https://example.com/image"
    assert refused(chat(image(url)), "media_urls") == (
        "missing_required_parameter",
        "messages[0].content[0].image_url.mime_type",
    )
    for member in ("mime_type", "format"):
        part = {"type": "image_url", "image_url": {"url": url, member: "Image/PNG"}}
        assert part_of(part, "media_urls") == {"fileData": {"fileUri": url, "mimeType": "image/png"}}
        part["image_url"] = {"url": url, member: "png"}
        assert refused(chat(part), "media_urls") == (
            "invalid_value",
            f"messages[0].content[0].image_url.{member}",
        )


@pytest.mark.parametrize("said", ["", "application/octet-stream"])
@pytest.mark.parametrize(
    ("data", "kind"),
    [("iVBORw0KGgoAAA", "png"), ("/9j/4AAQ", "jpeg"), ("R0lGODlh", "gif"), ("UklGRgAA", "webp")],
)
def test_data_that_does_not_say_what_it_is_is_looked_at(said: str, data: str, kind: str) -> None:
    """What begins as a picture is one; a type that is said stays."""
    assert part_of(image(f"data:{said};base64,{data}"))["inlineData"]["mimeType"] == f"image/{kind}"
    assert part_of(image(f"data:image/heic;base64,{data}"))["inlineData"]["mimeType"] == "image/heic"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "gs://bucket/a.png",
        "file:///etc/passwd",
        "https://generativelanguage.googleapis.com/v1beta/files/abc",
        "https://GENERATIVELANGUAGE.googleapis.com./v1beta/files/abc",
        "https://storage.googleapis.com/b/o",
        "https://metadata.google.internal/",
        "https://user@example.com/",
        "https://evil.com\\@example.com/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://localhost/",
        "https://example.com/a b",
        "https://example.com/" + "a" * 9_000,
        "ftp://example.com/",
        "x",
    ],
)
def test_addresses_that_reach_with_our_rights_are_refused(url: str) -> None:
    """Stored files of our account, buckets, inner hosts, and whatever two parsers may read in two ways."""
    assert refused(chat(image(url)), "media_urls") == (
        "invalid_value",
        "messages[0].content[0].image_url.url",
    )


def test_sound_and_files_go_inline() -> None:
    """With a type from the format, the data URL or the file's name."""
    assert part_of({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}) == {
        "inlineData": {"mimeType": "audio/wav", "data": "AA"}
    }
    assert part_of({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}}) == {
        "inlineData": {"mimeType": "application/pdf", "data": "AA"}
    }
    assert part_of({"type": "file", "file": {"file_data": "AA", "filename": "x.csv"}}) == {
        "inlineData": {"mimeType": "text/csv", "data": "AA"}
    }
    assert part_of({"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AA"}})["inlineData"]


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "file", "file": {"file_id": "file-1"}}, "file.file_id"),
        ({"type": "file", "file": {"file_data": "AA", "filename": "x"}}, "file.filename"),
        ({"type": "file", "file": {"file_data": "AA"}}, "file.filename"),
        ({"type": "file"}, "file"),
        ({"type": "input_audio", "input_audio": {"data": "AA"}}, "input_audio.format"),
        ({"type": "input_audio", "input_audio": {"data": "AA", "format": "a/b"}}, "input_audio.format"),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "input_audio.data"),
        ({"type": "image_url"}, "image_url"),
        ({"type": "image_url", "image_url": {"url": 1}}, "image_url.url"),
    ],
)
def test_malformed_parts_are_named(part: Json, param: str) -> None:
    """A stored file is another account's, or none."""
    assert refused(chat(part))[1] == f"messages[0].content[0].{param}"
