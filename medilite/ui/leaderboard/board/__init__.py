"""The pure parts of the tab Leaderboard: a committed board as HTML, no Gradio and no model.

view       a board as the page reads it: models, columns, cells
table      the table that sorts and searches in the browser
scatter    grade against supported content, with intervals
grades     the distribution of the grades of all answers
differences  two models compared on every metric and by slice
quarters   did it get easier by saying less?
bleu       the parts of BLEU side by side, and what they say in a sentence
study      the study's table beside ours
questions  single questions: filtered, ordered, with all answers
about      where the numbers come from
"""
