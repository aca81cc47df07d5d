"""Who is it: a network's author against the contacts of a CRM.

`author_keys` and `contact_keys` find candidates by equality alone. `match` weighs each candidate's evidence against what a
coincidence would be worth in this workspace, `Commonness`, and answers with probabilities. A match is confirmed by itself only
where being wrong is very unlikely and no second contact could just as well be meant; everything else is suggested to a person, with
its evidence, or nothing.
"""

from __future__ import annotations

from service.rules.evidence import Basis, Evidence, Signal, Source
from service.rules.matching.choosing import FEW, PER_KEY, choose
from service.rules.matching.decision import CONFIRM, MOST, SUGGEST, match, sift, weigh
from service.rules.matching.keys import author_keys, contact_keys, counted, filed
from service.rules.matching.pair import Met
from service.rules.matching.rarity import Commonness, commonness, share_known
from service.rules.matching.terms import Terms, bought, eligible

__all__ = [
    "CONFIRM", "FEW", "MOST", "PER_KEY", "SUGGEST", "Basis", "Commonness", "Evidence", "Met", "Signal", "Source", "Terms", "author_keys", "bought", "choose",
    "commonness", "contact_keys", "counted", "eligible", "filed", "match", "share_known", "sift", "weigh",
]  # fmt: skip
