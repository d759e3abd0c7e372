"""What deploy/generate is made of."""
