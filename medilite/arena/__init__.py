"""Blind votes: which of two answers is better, without knowing whose they are.

No page and no model here. `booth.Booth` is the interface for the page: it draws pairs (`drawing`, given what
`knowledge` has of the votes so far), issues their tokens, takes votes and stores them (`store`). `live` is a pair being
written. `ratings` computes ratings from votes, `marks` finds careless or hostile votes, `voter_counts` counts for one
voter, `export` writes files.
"""
