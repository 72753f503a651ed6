"""Money goes back to customers: asked for by operators, agreed to by a second one where it is much, and confirmed."""
