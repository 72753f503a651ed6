"""How the console's playground reaches a gateway."""
