"""English words that don't distinguish one medical reference from another."""

from __future__ import annotations

_FUNCTION_WORDS = """
a an the this that these those each every either neither another other others same such
i me my mine myself you your yours yourself we us our ours he him his himself she her hers herself
it its itself they them their theirs themselves one ones someone something anyone anything everyone everything
who whom whose which what when where why how whether
am is are was were be been being do does did doing done have has had having
can cannot could may might must shall should will would ought
and or but nor so yet if unless although though because since while as than then else
of in on at by for from to into onto with without within about above below between among against across
along around before after behind beside besides beyond during except inside outside near off out over
through throughout toward towards under until up upon via per down
not no yes none nothing never ever only just also too very much many more most less least few fewer several
some any all both enough quite rather almost again once here there now still already even however therefore
thus hence instead otherwise perhaps maybe well etc eg ie
don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't shouldn't hasn't haven't hadn't
it's i'm i've you're you've we're we've they're they've that's there's what's let's
two three four five six seven eight nine ten first second third
"""

FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that hold a sentence together: articles, pronouns, auxiliaries, conjunctions, prepositions, small adverbs."""

_GENERAL_WORDS = """
condition disease disorder syndrome illness problem symptom sign feature characteristic characterize case type form
kind person people patient individual someone man woman body human health healthy medical medicine doctor physician
provider professional care healthcare
cause lead result due happen occur affect effect develop appear become begin start show present see seen saw look
find found think know known unknown understand believe consider suggest
include involve associate relate call name term mean refer define definition describe explain base depend vary
use make made take taken get give given go come need want help try keep put provide offer receive like likely
usual usually typical typically common commonly general generally often sometimes rare rarely frequent frequently
mostly mainly particularly especially certain specific particular various different similar important available
possible able good better best bad worse new old little big large small long short high low great severe
number amount part group way time year day example list level lot percent percentage rate
information learn question answer talk ask tell say report contact visit page website web site online link
study research researcher article publication resource organization organisation association foundation institute
national center centre support counsel dictionary medlineplus orphanet hpo ontology phenotype database
registry estimate approximate approximately rough roughly fraction frequency collect instruction copy address
express experience follow additional total below
"""

GENERAL_WORDS = frozenset(_GENERAL_WORDS.split())
"""Words that half of all health texts have, whatever they are about, and the set phrases of MedQuAD's sources.

Chosen by hand among the stems that occur in most answers of the training split
(the first 330 by number of answers). What names a part of the body, a course of
illness, a test or a treatment is not among them, however frequent.
"""
