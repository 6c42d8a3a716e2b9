-- What came back. The key is the event's identity, so a copy finds its row taken. type: 1 delivered, 2 hard_bounce, 3 soft_bounce, 4 spam,
-- 5 unsubscribed, 6 clicked, 7 the mark that a message was clicked at all. moment and discriminator are 0, but for soft_bounce and clicked: Unix seconds
-- (0: not told) and the hash of the description. No addresses. occurred_at in Unix seconds, 0 when not told; signed: the meta had our MAC.
-- One partition a month of run dates, made when its first event comes; the run date is part of the identity, so every copy meets its row.
create table events (
  run_date bigint not null,
  campaign_id bigint not null,
  run bigint not null,
  recipient_id bigint not null,
  type bigint not null,
  moment bigint not null,
  discriminator bigint not null,
  occurred_at bigint not null,
  reason_hash bigint not null,
  description text not null,
  signed boolean not null,
  received_at bigint not null,
  primary key (run_date, campaign_id, run, recipient_id, type, moment, discriminator)
) partition by range (run_date);
create index events_bounces on events (campaign_id, type, reason_hash, recipient_id) where type in (2, 3);

-- Changed only by what was really inserted into events, in the same transaction.
create table run_events (
  campaign_id bigint not null,
  run bigint not null,
  run_date bigint not null,
  provider_id bigint not null,
  delivered bigint not null default 0,
  hard_bounce bigint not null default 0,
  soft_bounce bigint not null default 0,
  spam bigint not null default 0,
  unsubscribed bigint not null default 0,
  clicked bigint not null default 0,
  clicked_unique bigint not null default 0,
  primary key (campaign_id, run)
);
create index run_events_by_provider on run_events (provider_id, run_date);
create index runs_by_start on runs (started_at, campaign_id, run);

-- Events whose meta nobody signed, until a person decides. sealed: the event as JSON, encrypted, since it holds an address.
create table quarantine (
  id bigint generated always as identity primary key,
  provider_id bigint not null,
  identity bytea not null,
  sealed bytea not null,
  received_at bigint not null,
  unique (provider_id, identity)
);
create index quarantine_by_age on quarantine (received_at);
