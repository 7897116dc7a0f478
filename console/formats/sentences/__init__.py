"""Events as sentences for people. Pages, API, replay and mail use the same sentence.

It is made of the open values of the event and of names that the caller may see. Sealed values (what was typed, reasons, addresses)
are never part of it, so that it stays true and reveals nothing when a value is masked or erased.
"""

from console.formats.sentences.cause_sentences import cause_words
from console.formats.sentences.event_sentences import SENTENCES, Sentence, sentence
from console.formats.sentences.sentence_parts import LONGEST_NAME, REASONS, Names, actor_name, one_line
