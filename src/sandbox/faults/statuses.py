"""Faults that refuse: HTTP statuses with the bodies that real providers send with them."""

from sandbox.answer import Answer
from sandbox.errors import envelope, shaped
from sandbox.exchange import Exchange
from sandbox.faults.fault import Fault, both
from sandbox.messages import JSON
from sandbox.senders import send_body

_HTML = ("content-type", "text/html; charset=utf-8")


async def _refuse(out: Exchange, answer: Answer, status: int, body: bytes, *headers: tuple[str, str]) -> None:
    out.worked = False
    extra = [("retry-after", answer.script.retry_after)] if answer.script.retry_after is not None else []
    await send_body(out, answer, body, status=status, headers=[*(headers or (JSON,)), *extra])


async def _shaped(out: Exchange, answer: Answer, status: int, shape: str) -> None:
    status = answer.script.status or status
    shape = answer.script.shape or shape
    await _refuse(out, answer, status, shaped(shape, status, f"Sandbox fault: {status}."))


@both
async def status(out: Exchange, answer: Answer) -> None:
    """The HTTP status `status` (default 500) with the error body of the provider `shape` (default openai)."""
    await _shaped(out, answer, 500, "openai")


def _preset(name: str, doc: str, status: int, shape: str) -> Fault:
    async def run(out: Exchange, answer: Answer) -> None:
        await _shaped(out, answer, status, shape)

    return Fault(name, doc, ("json", "stream"), run)


PLAIN = tuple(
    _preset(f"status_{code}", f"HTTP {code} with an OpenAI error body.", code, "openai")
    for code in (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)
)
BY_PROVIDER = tuple(
    _preset(name, doc, code, shape)
    for name, code, shape, doc in (
        ("xai_400", 400, "xai", "HTTP 400 whose `error` is a string, as xAI writes it."),
        ("mistral_detail_401", 401, "mistral", "HTTP 401 with `detail` as a string, as Mistral writes it."),
        (
            "mistral_detail_422",
            422,
            "mistral_list",
            "HTTP 422 with `detail` as a list, as Mistral writes it.",
        ),
        (
            "mistral_429",
            429,
            "mistral_object",
            'HTTP 429 with `object: "error"` at the top, as Mistral writes it.',
        ),
        (
            "gemini_429",
            429,
            "gemini",
            "HTTP 429 as a list of one error, delay in its details, as Gemini's OpenAI path.",
        ),
        ("glm_funds_429", 429, "glm", "HTTP 429 with code 1113: out of funds, as GLM writes it."),
        (
            "kimi_funds_429",
            429,
            "kimi",
            "HTTP 429 `exceeded_current_quota_error` without param and code, as Kimi.",
        ),
        (
            "minimax_funds_200",
            200,
            "minimax",
            "HTTP 200 whose `base_resp.status_code` is 1008: out of funds, as MiniMax.",
        ),
        ("anthropic_529", 529, "anthropic", "HTTP 529 `overloaded_error` in Anthropic's shape."),
        ("azure_429", 429, "azure", "HTTP 429 with `code` and `message` only, as Azure."),
    )
)


@both
async def quota_429(out: Exchange, answer: Answer) -> None:
    """HTTP 429 `insufficient_quota`: our account at the provider is out of funds, as OpenAI writes it."""
    words = "You exceeded your current quota, please check your plan and billing details."
    await _refuse(out, answer, 429, envelope(words, type_="insufficient_quota", code="insufficient_quota"))


@both
async def context_length_400(out: Exchange, answer: Answer) -> None:
    """HTTP 400 `context_length_exceeded`."""
    words = "This model's maximum context length is 128000 tokens."
    code = "context_length_exceeded"
    await _refuse(
        out, answer, 400, envelope(words, type_="invalid_request_error", code=code, param="messages")
    )


@both
async def key_in_error_401(out: Exchange, answer: Answer) -> None:
    """HTTP 401 whose message repeats the bearer key it was called with."""
    words = f"Incorrect API key provided: {out.bearer}."
    await _refuse(out, answer, 401, envelope(words, type_="invalid_request_error", code="invalid_api_key"))


@both
async def html_502(out: Exchange, answer: Answer) -> None:
    """HTTP 502 with a proxy's HTML page."""
    await _refuse(out, answer, 502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", _HTML)


@both
async def empty_500(out: Exchange, answer: Answer) -> None:
    """HTTP 500 without a body."""
    await _refuse(out, answer, 500, b"")


@both
async def retry_after_date_429(out: Exchange, answer: Answer) -> None:
    """HTTP 429 whose `retry-after` is a date, long past."""
    body = shaped("openai", 429, "Slow down.")
    await _refuse(out, answer, 429, body, JSON, ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"))


@both
async def retry_after_huge_503(out: Exchange, answer: Answer) -> None:
    """HTTP 503 whose `retry-after` is a year."""
    body = shaped("openai", 503, "Come back later.")
    await _refuse(out, answer, 503, body, JSON, ("retry-after", "31536000"))


@both
async def retry_after_garbage_429(out: Exchange, answer: Answer) -> None:
    """HTTP 429 whose `retry-after` is neither a number nor a date."""
    await _refuse(out, answer, 429, shaped("openai", 429, "Slow down."), JSON, ("retry-after", "-1e999 soon"))


@both
async def redirect(out: Exchange, answer: Answer) -> None:
    """HTTP 302 to an inside address (`location`, default the cloud metadata service)."""
    location = answer.script.location or "http://169.254.169.254/latest/meta-data/"
    await _refuse(out, answer, 302, b"", ("location", location))


@both
async def redirect_307(out: Exchange, answer: Answer) -> None:
    """HTTP 307, which would repeat the POST, to `location` (default http://localhost:1/)."""
    await _refuse(out, answer, 307, b"", ("location", answer.script.location or "http://localhost:1/"))


FAULTS = (
    status,
    *PLAIN,
    *BY_PROVIDER,
    quota_429,
    context_length_400,
    key_in_error_401,
    html_502,
    empty_500,
    retry_after_date_429,
    retry_after_huge_503,
    retry_after_garbage_429,
    redirect,
    redirect_307,
)
