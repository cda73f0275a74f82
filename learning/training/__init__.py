"""Training networks and using what was trained."""
