"""Quality estimation by COMET, whose packages live in an environment of their own."""
