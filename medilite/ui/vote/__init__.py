"""The tab Blind vote: two answers without names, one choice."""
