"""An export against a checkpoint that somebody kept when it was made."""

from console.log import checkpoint, tree
from tests.log.exports import LOG, PART, PLACES, Said, f


def test_a_part_with_the_checkpoint_that_was_kept_needs_no_proof(said: Said) -> None:
    kept = checkpoint.sign(f.ORIGIN, 300, tree.root(LOG.leaves), [f.SEED])
    assert said(PART, since=kept)[0] == 0
    assert ": re-signed: " in said(f.chosen(f.make(300, seed=8), PLACES), since=kept)[1]
