"""Anthropic's Messages dialect: what clients may speak (`surface`), what providers are asked in (`upstream`), and its usage."""
