"""`/v1`: the surface that SDKs speak to, as a raw ASGI mount; no framework code runs in a request's way."""
