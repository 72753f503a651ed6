"""Forms: read in any pieces, refused where parsers differ, passed on with another model and every other byte."""

import contextlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.dialects.openai.multipart.form import FIELD_BYTES_MAX, FormReader
from application.dialects.openai.multipart.rewriter import FormRewriter, growth_bytes
from application.dialects.openai.multipart.scanner import boundary_of
from application.wire.errors import InvalidRequest
from tests.application.dialects.openai.odd_json import pieces

BOUNDARY = b"xX"
FILE = bytes(range(256)) + b"\r\n--x\r\n--xY\r\n-\r\n" + b"\r\n"


def part(disposition: bytes, value: bytes, *more: bytes) -> bytes:
    headers = b"\r\n".join([b"Content-Disposition: form-data; " + disposition, *more])
    return b"--xX\r\n" + headers + b"\r\n\r\n" + value + b"\r\n"


MODEL = part(b'name="model"', b"alias")
SOUND = part(b'name="file"; filename="a.WAV"', FILE, b"Content-Type: audio/wav")
PROMPT = part(b'name="prompt"', "hé".encode())
END = b"--xX--\r\n"
FORM = PROMPT + SOUND + MODEL + END


def read(parts: list[bytes]) -> FormReader:
    reader = FormReader(BOUNDARY)
    for each in parts:
        reader.feed(each)
    reader.finish()
    return reader


def rewritten(parts: list[bytes], model: str = "theirs", *, fields_first: bool = False) -> bytes:
    rewriter = FormRewriter(BOUNDARY, model=model, fields_first=fields_first)
    out = b"".join(rewriter.feed(each) for each in parts)
    rewriter.finish()
    return out


def test_fields_are_kept_and_files_counted() -> None:
    """A file's bytes may look like a boundary."""
    reader = read([FORM])
    assert reader.model == "alias"
    assert reader.fields == {"prompt": ["hé"], "model": ["alias"]}
    [file] = reader.files
    assert (file.name, file.suffix, file.content_type, file.size_bytes) == (
        "file",
        "wav",
        "audio/wav",
        len(FILE),
    )


@given(st.data())
def test_any_cutting_reads_the_same_and_passes_the_same(data: st.DataObject) -> None:
    """Inside boundaries and headers too."""
    parts = data.draw(pieces(FORM))
    assert read(parts).fields == read([FORM]).fields
    assert rewritten(parts) == FORM.replace(b"alias", b"theirs")


def test_cut_at_every_byte() -> None:
    """The hardest cutting."""
    assert rewritten([FORM[index : index + 1] for index in range(len(FORM))]) == FORM.replace(
        b"alias", b"theirs"
    )


def test_no_file_is_held() -> None:
    """What is fed comes out, but for as much as a boundary could be."""
    rewriter = FormRewriter(BOUNDARY, model="m")
    rewriter.feed(SOUND[: SOUND.index(FILE)])
    assert len(rewriter.feed(b"z" * 100_000)) > 99_900


def test_a_form_without_a_model_gets_one() -> None:
    """At its end; it reads as if it had been there."""
    form = PROMPT + SOUND + END
    out = rewritten([form])
    assert read([out]).model == "theirs"
    assert out.startswith(form[:-8])


@pytest.mark.parametrize("form", [FORM, PROMPT + SOUND + END])
def test_the_growth_is_known_before(form: bytes) -> None:
    """For the content length that is sent."""
    grown = growth_bytes(BOUNDARY, model="thé", model_bytes=read([form]).model_bytes)
    assert len(rewritten([form], "thé")) == len(form) + grown


def test_a_field_after_a_file_is_refused_where_fields_were_judged_before() -> None:
    """Nobody asks for more behind it."""
    with pytest.raises(InvalidRequest) as refusal:
        rewritten([FORM], fields_first=True)
    assert refusal.value.param == "model"
    assert rewritten([MODEL + PROMPT + SOUND + END], fields_first=True)


def test_counts_and_flags_are_read_by_name() -> None:
    """A prompt that is a number stays a text."""
    form = b"".join(
        part(b'name="%b"' % name, value)
        for name, value in (
            (b"n", b"2"),
            (b"stream", b"true"),
            (b"prompt", b"12"),
            (b"x[]", b"a"),
            (b"x[]", b"b"),
        )
    )
    assert read([form + END]).request() == {"n": 2, "stream": True, "prompt": "12", "x": ["a", "b"]}


@pytest.mark.parametrize(
    "form",
    [
        b"preamble\r\n" + FORM,
        FORM + b"epilogue",
        FORM[:-8],
        FORM[:-4],
        FORM.replace(b"\r\n", b"\n"),
        part(b'name="model"', b"a") + part(b'name="model"', b"b") + END,
        part(b'name="model"; filename="m"', b"a") + END,
        part(b'name="a"; name="model"', b"a") + END,
        part(b"filename=x", b"a") + END,
        part(b'name="mod\\"el"', b"a") + END,
        part(b'name="mod%65l"', b"a") + END,
        part(b"name=\"x\"; name*=utf-8''model", b"a") + END,
        part(b'name="model"', b"YQ==", b"Content-Transfer-Encoding: base64") + END,
        part(b'name="model"', b"a", b"Content-Disposition: form-data; name=x") + END,
        part(b'name="model"', b"a", b" folded: x") + END,
        part(b'name="prompt"', b"\xff") + END,
        b"--xX\r\nContent-Type: text/plain\r\n\r\na\r\n" + END,
        b"--xX\r\n" + b"A: " + b"x" * 9_000 + b"\r\n\r\n" + END,
        part(b'name="a"', b"x\r\n--xXtrailing") + END,
        MODEL + part(b'name="x[]"', b"y") * 300 + END,
    ],
    ids=range(20),
)
def test_what_parsers_read_differently_is_refused(form: bytes) -> None:
    """We must read what the upstream reads, or a request is priced as another one."""
    with pytest.raises(InvalidRequest):
        read([form])


def test_a_field_without_end_is_refused() -> None:
    """Fields are held, so they are bounded; the code is that of a large body."""
    reader = FormReader(BOUNDARY)
    with pytest.raises(InvalidRequest) as refusal:
        reader.feed(part(b'name="prompt"', b"x" * (FIELD_BYTES_MAX + 100)))
    assert refusal.value.code == "request_too_large"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/mixed; boundary=a",
        'multipart/form-data; boundary="a\r\nb"',
        "multipart/form-data; boundary=" + "a" * 71,
    ],
)
def test_only_a_form_with_one_boundary_is_read(content_type: str) -> None:
    """Anything else is refused before a byte of the body."""
    with pytest.raises(InvalidRequest):
        boundary_of(content_type)


def test_the_forms_of_a_real_client_are_read() -> None:
    """Fields come first there, then the files, both kinds of names with brackets."""
    request = httpx.Request(
        "POST",
        "http://localhost/",
        data={"model": "alias", "timestamp_granularities[]": ["word", "segment"]},
        files=[("image[]", ("ü.png", b"one", "image/png")), ("image[]", ("b.png", b"two", "image/png"))],
    )
    body = request.read()
    boundary = boundary_of(request.headers["content-type"])
    reader = FormReader(boundary)
    reader.feed(body)
    reader.finish()
    assert reader.model == "alias"
    assert reader.request()["timestamp_granularities"] == ["word", "segment"]
    assert [file.size_bytes for file in reader.files] == [3, 3]
    rewriter = FormRewriter(boundary, model="theirs", fields_first=True)
    assert rewriter.feed(body) == body.replace(b"alias", b"theirs")


@given(
    st.lists(st.sampled_from([MODEL, SOUND, PROMPT, END, b"--xX", b"\r\n", b"--", b"x", b"\xff"]), max_size=8)
)
def test_nothing_but_a_refusal_escapes(parts: list[bytes]) -> None:
    """And what is read whole is passed on whole."""
    with contextlib.suppress(InvalidRequest):
        reader = read(parts)
        out = rewritten(parts, "alias")
        if reader.model == "alias":
            assert out == b"".join(parts)


def test_it_is_known_when_a_form_is_finished() -> None:
    """A second line end after the last boundary is too much."""
    reader = FormReader(BOUNDARY)
    reader.feed(FORM[:-4])
    assert not reader.finished
    reader.feed(FORM[-4:])
    assert reader.finished
    with pytest.raises(InvalidRequest):
        reader.feed(b"x")


@pytest.mark.parametrize(
    "form", [MODEL + MODEL + END, part(b'name="model"; filename="m"', b"a") + END, b"--xX"]
)
def test_the_rewriter_is_as_strict_as_the_reader(form: bytes) -> None:
    """It may be the only one to see the end of a form."""
    with pytest.raises(InvalidRequest):
        rewritten([form])


def test_headers_that_are_no_utf8_are_refused() -> None:
    """A name must be readable."""
    with pytest.raises(InvalidRequest):
        read([part(b'name="\xff"', b"a") + END])
