"""Why answers differ: the computations of the tab Lab, without a page or a model.

`forks` finds where answers part, `strengths` mixes two models, `luck` counts the words of answers with many seeds,
`wordings` rewords the question. Each makes requests for an engine and reads its steps.
"""
