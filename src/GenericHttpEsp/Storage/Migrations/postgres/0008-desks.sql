-- What the silos share about a provider. revision and concurrency: of the latest revision any silo has heard of; whoever leases slots holds this row.
-- probe_until: until then one silo alone looks whether an ESP that was down is back.
create table provider_desks (
  provider_id bigint not null primary key,
  revision bigint not null default -1,
  concurrency bigint not null default 0,
  probe_until bigint not null default 0
);

-- Concurrency slots leased to silos, until a time of the database's clock: what of all leases stands never exceeds the limit.
create table provider_slots (
  provider_id bigint not null,
  silo text not null,
  slots bigint not null,
  wanted bigint not null,
  lease_until bigint not null,
  primary key (provider_id, silo)
);

-- What each silo got of a second's budget, or that it asked: the next second keeps a share for it.
create table budget_shares (
  provider_id bigint not null,
  second bigint not null,
  silo text not null,
  requests bigint not null,
  messages bigint not null,
  primary key (provider_id, second, silo)
);

-- Sizes in bytes that an ESP refused (413), less a margin, by the provider's template version.
create table learned_sizes (
  provider_id bigint not null,
  version bigint not null,
  bytes_max bigint not null,
  learned_at bigint not null,
  primary key (provider_id, version)
);
create index learned_sizes_by_time on learned_sizes (learned_at);
