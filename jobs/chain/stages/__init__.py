"""The stages of a pipeline, one a file; the table lists them."""
