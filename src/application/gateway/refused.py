"""Why a request ends without an answer, in words and a code for the client."""

from collections.abc import Sequence


class Refused(Exception):
    """The request ends here; nothing of an answer has gone to the client.

    `code` is one of `application.wire.errors.SPECS`, or an upstream's own for a bad request. `numbers` go beside it,
    `headers` into the head of the answer. `rule` and `limit` are for the log's summary of refusals only.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
        rule: str | None = None,
        limit: int | None = None,
        **numbers: int,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.headers = headers
        self.rule = rule
        self.limit = limit
        self.numbers = numbers


def ledger_unavailable() -> Refused:
    return Refused(
        "ledger_unavailable",
        "The request cannot be recorded at the moment, so it was not served. Nothing was charged.",
        retry_after_s=1,
    )
