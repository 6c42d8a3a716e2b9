-- What the silos share about a provider. revision and concurrency: of the latest revision any silo has heard of; whoever leases slots holds this row.
-- probe_until: until then one silo alone looks whether an ESP that was down is back.
create table provider_desks (
  provider_id integer not null primary key,
  revision integer not null default -1,
  concurrency integer not null default 0,
  probe_until integer not null default 0
) without rowid;

-- Concurrency slots leased to silos, until a time of the database's clock: what of all leases stands never exceeds the limit.
create table provider_slots (
  provider_id integer not null,
  silo text not null,
  slots integer not null,
  wanted integer not null,
  lease_until integer not null,
  primary key (provider_id, silo)
) without rowid;

-- What each silo got of a second's budget, or that it asked: the next second keeps a share for it.
create table budget_shares (
  provider_id integer not null,
  second integer not null,
  silo text not null,
  requests integer not null,
  messages integer not null,
  primary key (provider_id, second, silo)
) without rowid;

-- Sizes in bytes that an ESP refused (413), less a margin, by the provider's template version.
create table learned_sizes (
  provider_id integer not null,
  version integer not null,
  bytes_max integer not null,
  learned_at integer not null,
  primary key (provider_id, version)
) without rowid;
create index learned_sizes_by_time on learned_sizes (learned_at);
