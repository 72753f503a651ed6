"""Serves `/responses` from any upstream that answers as chat completions."""

from application.dialects.openai.document import Json, object_in, objects_in, written
from application.dialects.openai.responses import items, to_chat
from application.dialects.openai.responses.shape import final_status, response_object
from application.dialects.openai.responses.stream import ResponsesStream
from application.dialects.openai.usage import responses_usage
from application.wire.errors import envelope


class ResponsesSurface:
    """A `Surface` of the port."""

    def chat_of(self, request: Json) -> Json:
        return to_chat.chat_of(request)

    def answer(self, completion: Json, *, request: Json) -> bytes:
        choices = objects_in(completion, "choices")
        choice = choices[0] if choices else {}
        reason = choice.get("finish_reason")
        reason = reason if isinstance(reason, str) else None
        status: items.Status = "incomplete" if final_status(reason) == "incomplete" else "completed"
        output = items.output_of(
            object_in(choice, "message"),
            completion.get("id"),
            status=status,
            logprobs=items.logprobs_of(choice),
        )
        usage = object_in(completion, "usage")
        response = response_object(
            request,
            completion,
            status=status,
            output=output,
            reason=reason,
            usage=responses_usage(usage) if usage else None,
        )
        return written(response)

    def stream(self, *, request: Json) -> ResponsesStream:
        return ResponsesStream(request=request)

    def error(self, code: str, message: str, *, param: str | None, request_id: str) -> bytes:  # noqa: ARG002  a header says it
        return envelope(code, message, param)
