"""Blind votes: which of two answers is better, without knowing whose they are.

No page and no model in here. `arena.Arena` is what the page talks to: it draws
pairs (`drawing`), hands out their tokens, takes votes and keeps them (`store`).
`ratings` makes ratings of them, `marks` finds those that a careless or hostile
voter leaves, `results` puts together what is shown, `export` what is handed on.
"""
