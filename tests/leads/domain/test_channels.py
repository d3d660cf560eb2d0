"""Channels: every rule of the default grouping, free text of spreadsheets, real source names."""

from __future__ import annotations

import csv
import sys

import pytest

from leads.domain.channels import classify, from_origin
from leads.domain.sites import kind_of_site
from leads.domain.urls import host_of
from tests.importing import real


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "channel"),
    [
        ("(direct)", "(none)", "", "direct"),
        ("(direct)", "(not set)", "", "direct"),
        ("", "", "", "direct"),
        ("google", "cpc", "Cross-Network spring", "cross_network"),
        ("amazon", "cpc", "", "paid_shopping"),
        ("newsletter.example", "cpc", "shopping spring", "paid_shopping"),
        ("Google", "CPC", "brand", "paid_search"),
        ("bing", "ppc", "", "paid_search"),
        ("facebook.com", "paid_social", "", "paid_social"),
        ("linkedin", "cpm", "", "paid_social"),
        ("youtube", "cpv-cpc", "", "paid_video"),
        ("somesite.example", "cpm", "", "display"),
        ("somesite.example", "banner", "", "display"),
        ("somesite.example", "retargeting", "", "paid_other"),
        ("chatgpt.com", "ai-assistant", "(ai-assistant)", "ai_assistant"),
        ("perplexity.ai", "referral", "", "ai_assistant"),
        ("ebay", "referral", "", "organic_shopping"),
        ("x.example", "referral", "winter shop", "organic_shopping"),
        ("m.facebook.com", "referral", "", "organic_social"),
        ("x.example", "sm", "", "organic_social"),
        ("vimeo.com", "referral", "", "organic_video"),
        ("x.example", "video", "", "organic_video"),
        ("duckduckgo", "organic", "", "organic_search"),
        ("x.example", "organic", "", "organic_search"),
        ("blog.example", "referral", "", "referral"),
        ("mailer", "e-mail", "", "email"),
        ("email", "spring", "", "email"),
        ("x.example", "affiliate", "", "affiliates"),
        ("x.example", "audio", "", "audio"),
        ("sms", "text", "", "sms"),
        ("app", "web push", "", "push"),
        ("firebase", "x", "", "push"),
        ("x.example", "carrier pigeon", "", "other"),
        ("x.example", "x", "workshops", "other"),
    ],
)
def test_the_default_grouping(source, medium, campaign, channel):
    assert classify(source, medium, campaign) == channel


@pytest.mark.parametrize(
    ("referrer", "channel"),
    [
        ("https://www.google.co.uk/", "organic_search"),
        ("https://l.facebook.com/l.php?u=x", "organic_social"),
        ("https://t.co/abc", "organic_social"),
        ("https://gemini.google.com/app", "ai_assistant"),
        ("https://chatgpt.com/", "ai_assistant"),
        ("https://news.example/article", "referral"),
        ("https://google.example.com/", "referral"),
        ("https://mail.google.com/", "referral"),
        ("https://de.search.yahoo.com/", "organic_search"),
        ("https://shopping.yahoo.co.jp/", "organic_shopping"),
        ("android-app://com.linkedin.android/", "organic_social"),
        ("https://[broken", "direct"),
        ("", "direct"),
    ],
)
def test_without_parameters_the_referrer_decides(referrer, channel):
    assert classify(referrer=referrer) == channel


def test_parameters_go_before_the_referrer():
    assert classify("newsletter", "email", referrer="https://www.google.com/") == "email"


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("paid_search", "paid_search"), ("organic_search", "organic_search"), ("social", "organic_social"),
        ("direct_traffic", "direct"), ("display", "display"), ("email", "email"), ("referral", "referral"),
        ("other", "other"), ("other_publicities", "other"), ("Trade Show", "event"), ("Web", "other"),
        ("Website", "other"), ("Online Form", "other"), ("Cold Call", "outbound"),
        ("Facebook", "organic_social"), ("google / cpc", "paid_search"), ("Word of mouth", "recommendation"),
        ("Direct Traffic", "direct"), ("Press_Release", "pr"), ("Google", "organic_search"),
        ("Employee Referral", "recommendation"), ("AI Referrals", "ai_assistant"),
        ("https://www.linkedin.com/in/x", "organic_social"),
    ],
)  # fmt: skip
def test_words_of_spreadsheets(text, channel):
    assert from_origin(text) == channel


def test_blank_and_unknown_stay_apart():
    assert from_origin("") is None
    assert from_origin("  ") is None
    assert from_origin("unknown") == "unknown"
    assert from_origin("N/A") == "unknown"
    assert from_origin("?") == "unknown"


def test_hosts():
    assert host_of("HTTPS://WWW.Example.com:8080/x") == "example.com"
    assert host_of("example.com") == ""


def test_the_common_sites_of_analytics_are_known():
    kinds = {"SOURCE_CATEGORY_SEARCH": "search", "SOURCE_CATEGORY_SOCIAL": "social",
             "SOURCE_CATEGORY_VIDEO": "video", "SOURCE_CATEGORY_SHOPPING": "shopping"}  # fmt: skip
    with real("web/ga4_source_categories.csv").open(encoding="utf-8", newline="") as stream:
        rows = [(row["source"], kinds[row["source_category"]]) for row in csv.DictReader(stream)]
    found = [(source, kind, kind_of_site(source)) for source, kind in rows]
    wrong = [(source, kind, mine) for source, kind, mine in found if mine and mine != kind]
    for kind, least in (("search", 0.5), ("social", 0.15), ("video", 0.3), ("shopping", 0.15)):
        mine = [m for _, k, m in found if k == kind]
        known = sum(m == kind for m in mine)
        sys.stdout.write(f"{kind}: {known} of {len(mine)} sources of the list are known\n")
        assert known / len(mine) >= least, kind
    assert len(wrong) <= 3, wrong
