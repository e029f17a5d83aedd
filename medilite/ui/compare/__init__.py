"""The tab Compare: one question, up to six answers side by side."""
