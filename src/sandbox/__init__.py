"""The sandbox provider: an OpenAI-compatible upstream of ours that is honest about being none.

It serves demo access, tests and benchmarks. It runs as a process of its own and imports nothing from the other packages,
so that it can judge them.

    python -m sandbox --port 0 --ready-file F [--api-key KEY] [--journal FILE]

The ready file is written, whole, once requests are served: `{"base_url": "http://127.0.0.1:PORT/v1", "pid": ...}`.
SIGTERM ends it with exit code 0.

What it serves
    `POST /v1/chat/completions` (JSON and stream), `POST /v1/embeddings` (float and base64), `GET /v1/models[/ID]`; and with
    tiny answers of true units (`others`) `/v1/moderations`, `/v1/rerank`, `/v1/images/generations` and `/edits`,
    `/v1/audio/speech`, `/transcriptions` and `/translations`, of any model.
    Models: `sandbox-fast`, `sandbox-slow` (300 ms, then 20 ms per chunk), `sandbox-long` (2,000 tokens), `sandbox-echo`
    (says the last user message), `sandbox/nested-name`, `sandbox-embed`, and `sandbox-fault-NAME` for every fault.
    An answer's content depends on model, `seed` and messages only, and never repeats the prompt (but for the echo).
    A forced `tool_choice` is obeyed with the arguments `{}`. `response_format`, `logprobs` and sampling are ignored.

Tokens
    Counted with o200k_base: completions exactly, prompts by OpenAI's recipe (see `calls`). Length: 24 to 64 tokens by the
    prompt's digest, or the script's `tokens`, cut by `max_completion_tokens` or `max_tokens` (`finish_reason: length`).

Scripts (`script.Script` lists the fields)
    1. standing rules: `POST /_sandbox/script`, e.g. `{"script": {"fault": "status_503"}, "probability": 0.3, "seed": 7}`,
       with `model`, `next` and `scripts` (one is drawn) as further conditions; `GET` lists, `DELETE` clears them;
    2. the model's name; 3. the body: its `metadata.sandbox`, a string that holds JSON: `{"chunk_ms": 10, "chunks": 50}`.
    The later wins, field by field. A script that cannot be obeyed is refused with 400 `sandbox_bad_script`; a standing
    rule whose fault does not exist for a kind of answer (JSON, stream) passes that request by.

Faults
    One table, `faults.FAULTS`; `GET /_sandbox/faults` prints names and what shows on the wire.

Journal
    Every `/v1` request leaves an `accepted` line before and a `served` line at the end of its answer (`journal`), in a
    ring (`GET /_sandbox/journal?after=N&limit=M`, `DELETE`) and in the file of `--journal`. A request is found by the
    answer's id, by its own header `x-request-id`, or by `metadata.ref` of its body. It never holds a prompt.

With `--api-key`, every path wants that key. The control endpoints are for the machine that started the sandbox: keep it
on the loopback interface.
"""
