"""What every read model must have, checked over the registry."""

import hashlib

import pytest

from domain.ledger.events import LEDGER_EVENTS
from projections.projection import Projection
from projections.registry import all_projections

#: Facts of the ledger that no read model folds: they move no credit, and are of no request.
UNFOLDED = {
    "wallet.lease-recall-requested.v1",
    "lease.opened.v1",
    "lease.topped-up.v1",
    "lease.gave-back.v1",
    "lease.share-raised.v1",
    "lease.share-returned.v1",
    "lease.closed.v1",
    "lease.fenced.v1",
}
#: Fingerprints of the tables by version: whoever changes a table raises the version and adds a line.
TABLES = {
    ("balances", 1): "3d98d6385e49ee972c6874f4ad79624eb7397601694b1fd7d857587ef08cb749",
    ("balances", 2): "89fe4ae4a56570b70c4f6d59340945b1143daad23fcebd9a2b8b9a6a6486923d",
    ("balances", 3): "31a033f0b7f4b5c29c90a02991480b81d32b9c0c58cd90476ae95cd0fb2fbac0",
    ("request_log", 1): "a4d701d85cdb9beaa9eb42cc7ac213a0c3dd7520c3f023e7b3ab8dd172d19805",
    ("request_log", 2): "fddfbdc83dca5a32015c0dd5d6bdb0c764f6ed4d8343ab8974c23dd796653da8",
    ("request_log", 3): "00f14aae3803649ff76eb82f48163205dac3da56ae827d9ce09465a789b7e6e1",
    ("usage", 1): "99a9ad6b2df30f3a51bf4901b9d4760a751980327d7780912efe393fdbb57ae0",
    ("usage", 2): "1d3586be766e1ff21c50bab0d5591edc2cddd2d6d3220ac9e5d94b47c885dbe7",
    ("usage", 3): "4eefd8b539fe1b50a3b6a733b224b139cfa05f8e97642dc1c4f87538e363edcb",
    ("statement", 101): "858a94b626c2d8e1015b279c9f2a41df53e0ff0ac2ebacfd7c0e7e4c8a2fc52f",
    ("statement", 102): "858a94b626c2d8e1015b279c9f2a41df53e0ff0ac2ebacfd7c0e7e4c8a2fc52f",
    ("statement", 103): "858a94b626c2d8e1015b279c9f2a41df53e0ff0ac2ebacfd7c0e7e4c8a2fc52f",
    ("statement", 203): "67c28fcbc0930216eb4b385529021d9f5687dd68b006018da650df0f332891c3",
    ("trial_balance", 101): "a4065d42f492acb7392cd4cdbc5e210449fac38874cefa7af4b560afe8ed100e",
    ("trial_balance", 102): "a4065d42f492acb7392cd4cdbc5e210449fac38874cefa7af4b560afe8ed100e",
    ("trial_balance", 103): "a4065d42f492acb7392cd4cdbc5e210449fac38874cefa7af4b560afe8ed100e",
    ("audit_log", 1): "6cc61747c265e34811871f6e1891bace44d428fb3002d03017495a0014915a29",
    ("money", 101): "04fb8d48d6b96c223bbab620221d037bd8efe263a560d9ee6a709f2c5184962c",
    ("documents", 1): "77fa963605e4e56cb00b591f55c56561b13c942d1616b4f3da4f439b821ebaeb",
    ("orders", 1): "5153320e77fd0058dcef336d16b564b9cd8358022f521b358fedcc7ab1d68af6",
    ("audit_log", 2): "6cc61747c265e34811871f6e1891bace44d428fb3002d03017495a0014915a29",
    ("lot_ends", 1): "d1ee49da2d3f61dbd0e13f4940caafe8978442221cff32ca11ece8cf91cf1000",
    ("lot_ends", 2): "d1ee49da2d3f61dbd0e13f4940caafe8978442221cff32ca11ece8cf91cf1000",
    ("adjustments", 1): "74f4f52e8cc146d46e9e672dfcab5f89fe08b42952a3791590e4e4d2d924d92f",
    ("codes", 1): "0e07db60dd6d0aae75ffaa2e552f9a17993fda4cb64f043834ee7888e5dbec23",
    ("budgets", 1): "bc19412af60e036fbaf7a61a96b849413f4f6995b396a040229234139172412a",
    ("orders", 2): "e75953216ad53c739380bf4bbb17ccad5cbc4624a7331c80d550d7867b5e8d90",
    ("balances", 4): "e3c9f5ad28e3381e5aa92d1afdfb70089610d63cd67e5abac9b4e8f4610b68fd",
    ("usage", 4): "cac4a94f896b38b989476ce8e6c4609856bc829347ad0e6961711e169bef6ea2",
    ("statement", 204): "67c28fcbc0930216eb4b385529021d9f5687dd68b006018da650df0f332891c3",
    ("trial_balance", 104): "a4065d42f492acb7392cd4cdbc5e210449fac38874cefa7af4b560afe8ed100e",
    ("charge_reviews", 1): "84ee9d121e73cb006d1dc155fd9e7c197539bfbd6911a05b6f1fe0c2c93d7a3a",
    ("keys", 1): "ca743f90b98f3e99a1fb47d0cfa891f1401b1d5f1b0b73b13880793b37c6a193",
    ("catalogue", 1): "a0b3b00e1040027a706eb8034c33c08aea62c6d7a9815bfbe3b6844245b3b1ee",
    ("balances", 5): "738cb96708b7850e5ad491388020f6368a0786cf345f5ab962080f57a19b5474",
    ("statement", 205): "67c28fcbc0930216eb4b385529021d9f5687dd68b006018da650df0f332891c3",
    ("trial_balance", 105): "a4065d42f492acb7392cd4cdbc5e210449fac38874cefa7af4b560afe8ed100e",
    ("audit_log", 3): "6cc61747c265e34811871f6e1891bace44d428fb3002d03017495a0014915a29",
    ("orders", 3): "0b645f64284a1490c025dd8e21edd0f2d4bdbf12b662f9320bb7d0ff073a234a",
    ("money", 102): "04fb8d48d6b96c223bbab620221d037bd8efe263a560d9ee6a709f2c5184962c",
    ("orders", 4): "abad6c3dcdd5331efce2c3a4f32f875fe627f5e4001073433f82bf80f13337cb",
    ("orders", 5): "ac13d129c3f9fc04aaf5de2bcad62577259100fdde1e50b2761289e56f676874",
    ("orders", 6): "c1e4c98a955e5dc24aa3444c144a7551fdce3f5c16f29783fee4fd3806416658",
    ("work", 1): "f0871ff5ab4001c2e105c835392b4f8814b7b340552da448560e60c988ea5a4e",
    ("refund_requests", 1): "93f7825c3d5d1df6b5441172e5ea11f23feb2534858652579127bf362ffa1527",
    ("auto_recharges", 1): "ed0410969141de277ad38022893a6816cc80c6e9e35a3815076c50106370219c",
    ("money_months", 102): "1f6bd979ff59054e5d5547d516d9fc6e5419faf9b1607796bca78bbb3360fcfa",
    ("money", 202): "04fb8d48d6b96c223bbab620221d037bd8efe263a560d9ee6a709f2c5184962c",
    ("orders", 7): "120a62d4a163c6249f65cc4dbb6ec2a11ff689b2593fcc0628eb78760adc0e6d",
    ("money", 203): "04fb8d48d6b96c223bbab620221d037bd8efe263a560d9ee6a709f2c5184962c",
    ("money_months", 103): "1f6bd979ff59054e5d5547d516d9fc6e5419faf9b1607796bca78bbb3360fcfa",
    ("documents", 2): "77fa963605e4e56cb00b591f55c56561b13c942d1616b4f3da4f439b821ebaeb",
    ("documents", 3): "6382efb9e448ff7fe5f75185bcb2a351c91f86eadec6a620d38b1a81486a8475",
    ("postpaid", 1): "78dd785fd58d25bdb040a33104e8bac95ccde85a7eb9b6b9a3f245ec31acb0ab",
    ("keys", 2): "7631edb7171987384845e71a6900abf3c3540fbf890db0caab6dd61ffe7f7335",
    ("charge_reviews", 2): "d1e1c4cc8db25e8a181ac0c5c0da1821922f45ca0c12539c2b26ed15c0628609",
}


def test_every_fact_of_the_ledger_is_folded_or_named_here() -> None:
    """A new event of the ledger breaks this until somebody has decided what it does to the read models."""
    folded = frozenset[str]().union(*(one.topics for one in all_projections()))
    ledger = {kind.TOPIC for kind in LEDGER_EVENTS}
    assert folded & ledger | UNFOLDED == ledger
    assert not folded & UNFOLDED


@pytest.mark.parametrize("projection", all_projections(), ids=lambda one: one.name)
def test_a_change_of_tables_comes_with_a_new_version(projection: Projection) -> None:
    """Tables in use are never altered: another shape is another version, and needs a rebuild."""
    shape = "\n".join(
        f"{table.name}|{table.key}|{' '.join(table.columns.split())}|{table.indexes}"
        for table in projection.tables
    )
    assert TABLES[projection.name, projection.version] == hashlib.sha256(shape.encode()).hexdigest()


@pytest.mark.parametrize("projection", all_projections(), ids=lambda one: one.name)
def test_every_read_model_says_what_it_must_not_be_used_for(projection: Projection) -> None:
    """The first thing to know about a copy."""
    module = __import__(type(projection).__module__, fromlist=["__doc__"])
    assert "Must not be used" in (module.__doc__ or "")
