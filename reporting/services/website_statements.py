"""The statements that compute one day of the website from its sessions and their events.

``%(start)s`` and ``%(end)s`` bound the day on the organisation's calendar, ``%(zone)s`` names it.
"""

from __future__ import annotations

# The readable part of an address, short enough to be a key; what can't be read is the root.
_PATH = """left(coalesce(nullif(rtrim(split_part(split_part(regexp_replace({url},
  '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*', ''), '?', 1), '#', 1), '/'), ''), '/'), 200)"""
_OF_DAY = "source_id = %(source)s AND day = %(day)s"
_SESSIONS = """
SELECT s.* FROM leads_session s
WHERE s.started_at >= %(start)s AND s.started_at < %(end)s AND s.source_id = %(source)s
"""

CLEAR = [
    f"DELETE FROM {table} WHERE {_OF_DAY}"  # noqa: S608 - names of tables, written here
    for table in (
        "reporting_visitorday", "reporting_visitday", "reporting_pageday", "reporting_pagereader",
    )
]  # fmt: skip

VISITORS = f"""
INSERT INTO reporting_visitorday (source_id, day, previous_day, is_known, visitors)
SELECT %(source)s, %(day)s, b.previous_day, v.is_known, count(*)
FROM (SELECT visitor_id, bool_or(person_id IS NOT NULL) AS is_known
      FROM ({_SESSIONS}) s GROUP BY visitor_id) v
CROSS JOIN LATERAL (
  SELECT (max(e.started_at) AT TIME ZONE %(zone)s)::date AS previous_day
  FROM leads_session e WHERE e.visitor_id = v.visitor_id AND e.started_at < %(start)s) b
GROUP BY b.previous_day, v.is_known
"""  # noqa: S608

VISITS = f"""
WITH s AS (
  SELECT s.channel_id, left(coalesce(s.parameters ->> 'utm_campaign', ''), 120) AS campaign,
         {_PATH.format(url="s.entry_url")} AS landing, s.pages, s.engagement_seconds,
         NOT EXISTS (SELECT 1 FROM leads_session e
                     WHERE e.visitor_id = s.visitor_id AND e.started_at < s.started_at) AS is_first
  FROM ({_SESSIONS}) s),
g AS (
  SELECT channel_id, campaign, landing, count(*) AS sessions, count(*) FILTER (WHERE is_first) AS firsts,
         sum(pages) AS pages, sum(engagement_seconds) AS attention,
         row_number() OVER (ORDER BY count(*) DESC, channel_id, campaign, landing) AS place
  FROM s GROUP BY channel_id, campaign, landing)
INSERT INTO reporting_visitday
  (source_id, day, channel_id, campaign, landing, sessions, firsts, pages, attention_seconds)
SELECT %(source)s, %(day)s, channel_id, CASE WHEN place <= %(landings)s THEN campaign ELSE '' END,
       CASE WHEN place <= %(landings)s THEN landing ELSE %(other)s END,
       sum(sessions), sum(firsts), sum(pages), sum(attention)
FROM g GROUP BY 3, 4, 5
"""  # noqa: S608

# One pass over the day's events; the pages and their known readers come from it.
PAGES = f"""
WITH e AS (
  SELECT {_PATH.format(url="e.url")} AS path, e.kind, e.name, e.person_id, s.visitor_id,
         CASE WHEN jsonb_typeof(e.properties -> 'engagement_seconds') = 'number'
              THEN least(greatest((e.properties ->> 'engagement_seconds')::numeric, 0), 3600) ELSE 0
         END AS attention
  FROM ({_SESSIONS}) s
  JOIN leads_event e ON e.visitor_id = s.visitor_id AND e.occurred_at >= s.started_at
                    AND e.occurred_at <= s.last_at
  WHERE e.url <> '' AND e.screened = ''),
p AS (
  SELECT path, max(left(name, 200)) FILTER (WHERE kind IN ('page', 'screen')) AS title,
         count(*) FILTER (WHERE kind IN ('page', 'screen')) AS views,
         count(DISTINCT visitor_id) AS visitors, sum(attention)::bigint AS attention
  FROM e GROUP BY path ORDER BY 3 DESC, path LIMIT %(pages)s),
i AS (
  SELECT {_PATH.format(url="s.entry_url")} AS path, count(*) AS entries
  FROM ({_SESSIONS}) s WHERE s.entry_url <> '' GROUP BY 1),
w AS (
  INSERT INTO reporting_pageday
    (source_id, day, path, title, views, visitors, entries, attention_seconds)
  SELECT %(source)s, %(day)s, p.path, coalesce(p.title, ''), p.views, p.visitors,
         coalesce(i.entries, 0), p.attention
  FROM p LEFT JOIN i ON i.path = p.path WHERE p.views > 0)
INSERT INTO reporting_pagereader (source_id, day, path, person_id)
SELECT DISTINCT %(source)s, %(day)s::date, e.path, e.person_id
FROM e JOIN p ON p.path = e.path AND p.views > 0
WHERE e.person_id IS NOT NULL AND e.kind IN ('page', 'screen')
"""  # noqa: S608

# Later days that count from this one: their visitors' last day before was this day, or is now.
LATER = f"""
SELECT day FROM reporting_visitorday
WHERE source_id = %(source)s AND previous_day = %(day)s AND day > %(day)s
UNION
SELECT n.day FROM (SELECT DISTINCT visitor_id FROM ({_SESSIONS}) s) v
CROSS JOIN LATERAL (
  SELECT (min(e.started_at) AT TIME ZONE %(zone)s)::date AS day
  FROM leads_session e WHERE e.visitor_id = v.visitor_id AND e.started_at >= %(end)s) n
WHERE n.day IS NOT NULL
ORDER BY 1
"""  # noqa: S608

# Whether who came differs from what was computed last; then later days count from another set of people.
STATE = f"""
WITH now AS (
  SELECT coalesce(sum(hashint8extended(v.visitor_id, 0)::numeric), 0) AS digest
  FROM (SELECT DISTINCT visitor_id FROM ({_SESSIONS}) s) v),
before AS (SELECT visitors_digest FROM reporting_daystate WHERE {_OF_DAY}),
kept AS (
  INSERT INTO reporting_daystate (source_id, day, visitors_digest, computed_at)
  SELECT %(source)s, %(day)s, digest, %(now)s FROM now
  ON CONFLICT (source_id, day) DO UPDATE
    SET visitors_digest = excluded.visitors_digest, computed_at = excluded.computed_at)
SELECT (SELECT digest FROM now) IS DISTINCT FROM (SELECT visitors_digest FROM before)
"""  # noqa: S608

MARK_PERSONS = """
INSERT INTO reporting_visitmark (source_id, day, at)
SELECT DISTINCT source_id, (started_at AT TIME ZONE %(zone)s)::date, %(now)s::timestamptz
FROM leads_session WHERE person_id = ANY(%(persons)s)
"""

MARK_ALL = """
INSERT INTO reporting_visitmark (source_id, day, at)
SELECT DISTINCT source_id, (started_at AT TIME ZONE %(zone)s)::date, %(now)s::timestamptz FROM leads_session
UNION
SELECT DISTINCT source_id, day, %(now)s::timestamptz FROM reporting_visitorday
WHERE day >= (SELECT (min(started_at) AT TIME ZONE %(zone)s)::date FROM leads_session) - %(margin)s
"""
