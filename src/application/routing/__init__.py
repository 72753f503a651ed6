"""Which deployments a request may try, in which order, and how they are doing."""
