"""The library of passages: what US health institutes say, shown beside the models' answers.

`collection` reads pairs of question and answer, `build` makes a library of
them (`passages`, an index of words, an index of meaning), `library` searches
it, `shelf` finds or builds the one that the app uses. Nothing heavy loads at
import.
"""
