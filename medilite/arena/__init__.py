"""Blind votes: which of two answers is better, without knowing whose they are.

No page and no model in here. `booth.Booth` is what the page talks to: it draws
pairs (`drawing`, by what `knowledge` has of the votes so far), hands out their
tokens, takes votes and keeps them (`store`). `live` is a pair in the making.
`ratings` makes ratings of votes, `marks` finds those that a careless or hostile
voter leaves, `tally` counts for the one who votes, `export` is what is handed on.
"""
