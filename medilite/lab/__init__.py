"""Why answers differ: the computations of the tab Lab, without a page or a model.

`forks` finds where answers part, `strengths` mixes two models, `luck` counts the words of answers with many seeds,
`wordings` rewords the question, `saves` lends the saves of a training run to the engine. Each makes requests for an
engine and reads its steps.
"""
