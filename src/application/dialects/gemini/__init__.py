"""Google's Gemini dialect: `generateContent` and `batchEmbedContents`, of AI Studio and of Vertex.

One request, translated: `request` (with `messages`, `media`, `tools`, `schema`, `generation`). One answer, whole or in a
stream: `answer` (with `choice`, `partial_call`, `finish`, `logprobs`), which `completion` and `stream` put into the forms
that clients get. `usage` counts, `traits` says what models differ in, `upstream` is the port's implementation.
"""
