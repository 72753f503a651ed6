"""Commands about credit that is given away."""
