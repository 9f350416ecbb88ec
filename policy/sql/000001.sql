-- What each grant has used on each day (UTC+8 calendar day of the deciding node).
-- One row per grant and day; a batch of decisions is one upsert.
create table policy.quota_use (
  day date not null,
  grant_id text not null,
  exchanges bigint not null check (exchanges >= 0),
  bytes bigint not null check (bytes >= 0),
  primary key (day, grant_id)
);
