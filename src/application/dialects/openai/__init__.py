"""The OpenAI dialect beyond `application.wire`: one module or folder per endpoint, all of it pure.

Each endpoint has a head (what bounds its cost), a patch of the request for one deployment, and a reader of the answer.
"""
