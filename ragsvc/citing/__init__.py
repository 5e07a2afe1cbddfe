"""Answer text -> sentences -> claims -> citations, each checked against the stored text before it is released.

What cannot be proven is withheld or marked: a citation mark without a proof is taken out of the text and counted; a
quotation, a work or a number that stands in no passage stays, followed by a visible note.
"""

from ragsvc.citing.checking import AnswerChecker, ReadText, prove_place
from ragsvc.citing.sentences import Sentence, SentenceCutter, split_sentences

__all__ = ["AnswerChecker", "ReadText", "Sentence", "SentenceCutter", "prove_place", "split_sentences"]
