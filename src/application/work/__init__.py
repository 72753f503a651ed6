"""Long work of operators: asked for, done by a worker, and looked at meanwhile."""
