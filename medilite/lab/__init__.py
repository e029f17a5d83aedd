"""Why answers differ: what the tab Lab computes, without a page and without a model of its own.

`forks` finds where answers part, `strengths` mixes two models, `luck` counts what many seeds say, `wordings`
asks the same in other words. Each makes requests for an engine and reads what comes back.
"""
