"""What an answer says, as `readability` is about how it reads.

Measured against the references of the answer's question: `topic_similarity` by
sentence embeddings, `key_term_recall` by the words that carry a reference's
content. Measured on the answer itself: `repeated_ngrams`, and `echo_share` of
the question. Training rewards by these and evaluation reports them, so that
both mean the same. A share that is not available (no word, no reference) is None,
never 0. The encoder loads at first use.
"""

from medilite.content.embeddings import Encoder, SentenceEncoder, sentence_encoder, topic_similarities, topic_similarity
from medilite.content.key_terms import key_term_recall, key_terms, stems
from medilite.content.repetition import echo_share, repeated_ngrams
from medilite.content.words import words

__all__ = [
    "Encoder",
    "SentenceEncoder",
    "echo_share",
    "key_term_recall",
    "key_terms",
    "repeated_ngrams",
    "sentence_encoder",
    "stems",
    "topic_similarities",
    "topic_similarity",
    "words",
]
