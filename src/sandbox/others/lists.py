"""Moderations and rankings: one document each, with a list of results."""

from typing import Any, Final

from sandbox.others.made import Made, metadata_of, object_of, required
from sandbox.tokens import Tokens

DOCUMENTS_PER_SEARCH: Final = 100
CATEGORIES: Final = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip
FLAGGED: Final = "thunder"
"""The word for which a text is flagged, as violence."""


def moderation(body: bytes, tokens: Tokens) -> Made:  # noqa: ARG001  nothing is counted
    """Nothing is told of usage: the endpoint is free."""
    asked = object_of(body)
    given = asked.get("input")
    inputs = given if isinstance(given, list) else [given]
    results = [_judged(item if isinstance(item, str) else "") for item in inputs]
    return Made(
        model=required(asked, "model", str),
        metadata=metadata_of(asked),
        usage={"requests": 1},
        whole={"id": "modr-sandbox", "model": asked["model"], "results": results},
    )


def _judged(text: str) -> dict[str, Any]:
    flagged = FLAGGED in text
    return {
        "flagged": flagged,
        "categories": {name: flagged and name == "violence" for name in CATEGORIES},
        "category_scores": {name: float(flagged and name == "violence") for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


def rerank(body: bytes, tokens: Tokens) -> Made:
    """Documents by the words that they share with the query. Searches are told as Cohere does, tokens as Jina does."""
    asked = object_of(body)
    query = required(asked, "query", str)
    documents = [item if isinstance(item, str) else str(item) for item in required(asked, "documents", list)]
    wanted = set(query.split())
    scores = [len(wanted & set(document.split())) / max(len(wanted), 1) for document in documents]
    order = sorted(range(len(documents)), key=lambda at: -scores[at])[: asked.get("top_n") or len(documents)]
    read = sum(tokens.count(query) + tokens.count(document) for document in documents)
    searches = -(-len(documents) // DOCUMENTS_PER_SEARCH)
    return Made(
        model=required(asked, "model", str),
        metadata=metadata_of(asked),
        usage={"total_tokens": read, "search_units": searches},
        whole={
            "id": "rerank-sandbox",
            "model": asked["model"],
            "results": [{"index": at, "relevance_score": scores[at]} for at in order],
            "usage": {"total_tokens": read},
            "meta": {"billed_units": {"search_units": searches}},
        },
    )
