"""Calls to model providers over HTTP/1.1: `client.UpstreamClient` implements the port `application.upstream.Upstream`."""
