"""Exit codes of the jobs; batch scripts and pipelines act on them."""

OK = 0
FAILURE = 1
BAD_INPUT = 2
UNEXPLAINED = 3  # the result is written, but it does not explain the data
CHECKPOINTED = 75  # stopped by a signal with a checkpoint written: start again with --resume
