"""How a client's endpoint is served by a deployment: by passing bytes, or through a translation."""
