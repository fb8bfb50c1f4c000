"""Pages to look at: environments in a browser, captions, the report."""
