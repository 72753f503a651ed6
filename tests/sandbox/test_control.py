"""Standing rules over the control endpoint, and what they do to requests."""

import json
from typing import Any

from tests.sandbox.conftest import Running


def test_a_rule_scripts_requests_that_ask_for_nothing(ruled: Running) -> None:
    """Until it is cleared; a request's own script wins field by field."""
    ruled.control("POST", "script", {"script": {"fault": "status_503", "retry_after": "3"}})
    limited = ruled.chat()
    assert (limited.status, limited.header("retry-after")) == (503, "3")
    own = ruled.chat(script={"fault": "status_429"})
    assert (own.status, own.header("retry-after")) == (429, "3")
    ruled.control("DELETE", "script")
    assert ruled.chat().status == 200


def test_a_rule_is_listed_until_it_is_used_up(ruled: Running) -> None:
    """For one model and the next two requests to it."""
    rule: dict[str, Any] = {"script": {"fault": "status_500"}, "model": "sandbox-long", "next": 2}
    number = ruled.control("POST", "script", rule)["id"]
    assert ruled.control("GET", "script") == {"rules": [{"id": number, **rule}]}
    assert ruled.chat().status == 200
    assert [ruled.chat(model="sandbox-long").status for _ in range(3)] == [500, 500, 200]
    assert ruled.control("GET", "script") == {"rules": []}


def test_a_rule_also_meets_embeddings(ruled: Running) -> None:
    """They are JSON answers: a fault for streams passes them by, another does not."""
    ruled.control("POST", "script", {"scripts": [{"fault": "usage_twice"}, {"fault": "usage_zero"}]})
    answer = ruled.send("POST", "/v1/embeddings", {"model": "sandbox-embed", "input": "x"})
    assert answer.json["usage"] == {"prompt_tokens": 0, "total_tokens": 0}


def test_a_rule_with_a_probability_hits_its_share_and_repeats(ruled: Running) -> None:
    """The same seed, the same fate of the same requests, whatever was drawn before."""
    runs = []
    for _ in range(2):
        ruled.control("POST", "script", {"script": {"fault": "status_500"}, "probability": 0.3, "seed": 11})
        runs.append([ruled.chat().status for _ in range(60)])
        ruled.control("DELETE", "script")
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_a_rule_that_could_not_work_is_refused(ruled: Running) -> None:
    """No script, an unknown fault, shape or field, a probability above one: 400, and no rule."""
    bad: tuple[Any, ...] = (
        {},
        {"script": {"fault": "none"}},
        {"script": {"shape": "none"}},
        {"scripts": [{"no_such": "x"}]},
        {"script": {}, "probability": 2},
        [],
    )
    assert [ruled.send("POST", "/_sandbox/script", rule).status for rule in bad] == [400] * len(bad)
    assert ruled.control("GET", "script") == {"rules": []}


def test_the_faults_document_themselves(shared: Running) -> None:
    """Every fault has a sentence and the kinds of answer that it exists for."""
    found = shared.control("GET", "faults")
    assert len({fault["name"] for fault in found["faults"]}) == len(found["faults"]) >= 72
    assert all(fault["what"] and set(fault["for"]) <= {"json", "stream"} for fault in found["faults"])
    assert "openai" in found["shapes"]
    assert "chunk_ms" in found["script_fields"]


def test_the_journal_joins_by_id_header_and_reference(shared: Running) -> None:
    """Client, sandbox and gateway share the answer's id, the gateway's `x-request-id` and the client's reference."""
    body = {
        "model": "sandbox-fast",
        "messages": [{"role": "user", "content": "a canary sings"}],
        "metadata": {"ref": "join-me"},
    }
    answer = shared.send("POST", "/v1/chat/completions", body, headers={"X-Request-Id": "gateway-1"})
    lines = [line for line in shared.journal() if line["ref"] == "join-me"]
    assert [line["event"] for line in lines] == ["accepted", "served"]
    assert {line["id"] for line in lines} == {answer.json["id"].removeprefix("chatcmpl-")}
    assert {line["request_id"] for line in lines} == {"gateway-1"}
    accepted, served = lines
    assert accepted["bytes"] == len(json.dumps(body))
    assert served["usage"] == served["reported"] == answer.json["usage"]
    assert (served["complete"], served["status"]) == (True, 200)
    assert served["tokens_sent"] == answer.json["usage"]["completion_tokens"]
    assert answer.header("x-request-id") == f"req_{served['id']}"
    assert "canary" not in json.dumps(shared.journal())
    assert answer.text not in json.dumps(shared.journal())


def test_the_journal_tells_truth_from_report(shared: Running) -> None:
    """A bent usage is reported as bent; a stream whose client did not ask reports none; a refusal used nothing."""
    bent = shared.chat(script={"fault": "usage_x1000"})
    served = bent.journal["served"]
    assert served["reported"] == bent.json["usage"]
    assert served["usage"]["total_tokens"] * 1000 == served["reported"]["total_tokens"]
    silent = shared.chat(stream=True).journal["served"]
    assert (silent["reported"], silent["usage"]["completion_tokens"]) == (None, silent["tokens_sent"])
    refused = shared.chat(script={"fault": "status_429"}).journal["served"]
    assert (refused["usage"], refused["status"], refused["complete"]) == (None, 429, True)
    unknown = shared.send(
        "POST", "/v1/chat/completions", {"model": "none", "messages": []}, headers={"x-request-id": "u"}
    )
    found = {line["event"]: line for line in shared.journal() if line["request_id"] == "u"}
    assert (found["served"]["status"], found["accepted"]["path"]) == (unknown.status, "/v1/chat/completions")
