"""What stands beside the clauses: checked part by part."""

from __future__ import annotations

import pytest

from sla.domain import annex

STAGES = frozenset({"mql"})
WORD = {"term": "MQL", "meaning": "A lead that met the definition.", "bound_to": "stage:mql"}


def faults_of(document):
    with pytest.raises(annex.AnnexInvalid) as refused:
        annex.parse(document, stages=STAGES)
    return [(f.field, f.code) for f in refused.value.faults]


def test_a_whole_annex_reads_back_trimmed_and_without_its_empty_parts():
    document = {
        "roles": [{"side": "sales", "title": " Team lead ", "duties": "Looks at the board at noon."}],
        "glossary": [WORD],
        "links": [{"title": "Price list", "url": "https://files.example/prices"}],
        "plan": [],
    }
    found = annex.parse(document, stages=STAGES)
    assert found["roles"] == [
        {"side": "sales", "title": "Team lead", "who": "", "duties": "Looks at the board at noon."}
    ]
    assert set(found) == {"roles", "glossary", "links"}
    assert annex.parse(found, stages=STAGES) == found


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], ("annex", "not_an_object")),
        ({"songs": []}, ("annex.songs", "unknown")),
        ({"links": {}}, ("annex.links", "not_a_list")),
        ({"links": [1]}, ("annex.links.0", "not_an_object")),
        ({"links": [{"title": "x", "url": "javascript:alert(1)"}]}, ("annex.links.0.url", "not_allowed")),
        ({"links": [{"title": "x", "url": "//evil.example"}]}, ("annex.links.0.url", "not_allowed")),
        ({"links": [{"title": "x", "url": "https://["}]}, ("annex.links.0.url", "not_allowed")),
        ({"links": [{"title": "", "url": "/leads/"}]}, ("annex.links.0.title", "required")),
        ({"plan": [{"what": "x", "owner": "y", "due": "soon"}]}, ("annex.plan.0.due", "not_allowed")),
        ({"glossary": [WORD, WORD | {"term": "mql"}]}, ("annex.glossary.1.term", "twice")),
        ({"glossary": [WORD | {"bound_to": "stage:gone"}]}, ("annex.glossary.0.bound_to", "not_allowed")),
        ({"glossary": [WORD | {"meaning": "x" * 2001}]}, ("annex.glossary.0.meaning", "too_long")),
        ({"glossary": [WORD | {"meaning": "x\x00"}]}, ("annex.glossary.0.meaning", "too_long")),
        ({"roles": [{"side": "it", "title": "x", "duties": "y"}]}, ("annex.roles.0.side", "not_allowed")),
    ],
)
def test_what_cannot_be_used_is_named(document, fault):
    assert fault in faults_of(document)


def test_paths_and_web_addresses_may_be_linked():
    for url in ("/leads/", "http://intranet.example/x", "https://files.example"):
        assert annex.parse({"links": [{"title": "x", "url": url}]}, stages=STAGES)
