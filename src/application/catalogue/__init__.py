"""Commands about providers, credentials, deployments, routes and prices."""
