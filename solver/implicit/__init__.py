"""Implicit time steps of the staggered scheme: for times that light's own step cannot reach."""
