"""The published study, step by step."""
