"""Training of the two heads on cached encoder outputs."""
