"""The catalogue: providers, their credentials and deployments, routes, aliases and price lists."""
