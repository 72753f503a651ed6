"""Providers that speak Anthropic's Messages, asked for chat completions. `dialect.AnthropicUpstream` is the way in."""
