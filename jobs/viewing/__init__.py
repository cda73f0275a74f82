"""``opalux view``: results of a run in the browser, and a page to paint on."""
