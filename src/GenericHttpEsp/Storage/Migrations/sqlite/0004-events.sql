-- What came back. The key is the event's identity, so a copy finds its row taken. type: 1 delivered, 2 hard_bounce, 3 soft_bounce, 4 spam,
-- 5 unsubscribed, 6 clicked, 7 the mark that a message was clicked at all. moment and discriminator are 0, but for soft_bounce and clicked: Unix seconds
-- (0: not told) and the hash of the description. No addresses. occurred_at in Unix seconds, 0 when not told; signed: the meta had our MAC.
create table events (
  run_date integer not null,
  campaign_id integer not null,
  run integer not null,
  recipient_id integer not null,
  type integer not null,
  moment integer not null,
  discriminator integer not null,
  occurred_at integer not null,
  reason_hash integer not null,
  description text not null,
  signed integer not null,
  received_at integer not null,
  primary key (run_date, campaign_id, run, recipient_id, type, moment, discriminator)
) without rowid;
create index events_bounces on events (campaign_id, type, reason_hash, recipient_id) where type in (2, 3);

-- Changed only by what was really inserted into events, in the same transaction.
create table run_events (
  campaign_id integer not null,
  run integer not null,
  run_date integer not null,
  provider_id integer not null,
  delivered integer not null default 0,
  hard_bounce integer not null default 0,
  soft_bounce integer not null default 0,
  spam integer not null default 0,
  unsubscribed integer not null default 0,
  clicked integer not null default 0,
  clicked_unique integer not null default 0,
  primary key (campaign_id, run)
) without rowid;
create index run_events_by_provider on run_events (provider_id, run_date);
create index runs_by_start on runs (started_at, campaign_id, run);

-- Events whose meta nobody signed, until a person decides. sealed: the event as JSON, encrypted, since it holds an address.
create table quarantine (
  id integer primary key autoincrement,
  provider_id integer not null,
  identity blob not null,
  sealed blob not null,
  received_at integer not null,
  unique (provider_id, identity)
);
create index quarantine_by_age on quarantine (received_at);
