-- A campaign with work to do: written before the grain's state when it starts, removed after it when it ends. The sweeper pokes rows that are due.
create table campaign_work (
  campaign_id bigint not null primary key,
  due_at bigint not null,
  poked_at bigint not null default 0
);

-- run_date is yyyymmdd in UTC, from the start of the run.
create table runs (
  campaign_id bigint not null,
  run integer not null,
  run_date bigint not null,
  started_at bigint not null,
  audience bigint not null,
  primary key (campaign_id, run)
);

-- One row for each range of 4096 ids that has someone; ids are ascending.
create table audience (campaign_id bigint not null, run integer not null, block bigint not null, ids bigint[] not null, primary key (campaign_id, run, block));

-- cursor = the last id claimed; blocks first_block to last_block belong to it. Counters change only with outcome bytes, in one transaction.
create table partitions (
  id bigint generated always as identity primary key,
  campaign_id bigint not null,
  run integer not null,
  first_block bigint not null,
  last_block bigint not null,
  last_id bigint not null,
  cursor bigint not null,
  epoch bigint not null,
  state text not null,
  starts bigint not null,
  total bigint not null,
  to_come bigint not null,
  accepted bigint not null default 0,
  refused bigint not null default 0,
  failed bigint not null default 0,
  unknown bigint not null default 0,
  skipped_unsubscribed bigint not null default 0,
  skipped_group bigint not null default 0,
  skipped_erased bigint not null default 0,
  skipped_render bigint not null default 0,
  skipped_bad_address bigint not null default 0,
  skipped_too_late bigint not null default 0,
  skipped_stopped bigint not null default 0,
  retried bigint not null default 0,
  possibly_repeated bigint not null default 0
);
create index partitions_by_run on partitions (campaign_id, run, id);

-- The ledger. state: 0 waiting, 1 claimed, 2 closed, 3 unknown, 4 split. outcome: one byte an id. live = ids still to come in this row.
-- attempt = requests made for these records before; broken_off = of the latest tries, those in a row that ended before the whole request was sent.
create table batches (
  id bigint generated always as identity primary key,
  campaign_id bigint not null,
  run integer not null,
  run_date bigint not null,
  partition_id bigint not null,
  parent_id bigint,
  attempt integer not null,
  broken_off integer not null default 0,
  state smallint not null,
  first_id bigint not null,
  last_id bigint not null,
  ids bigint[] not null,
  outcome bytea not null,
  live bigint not null,
  provider_id bigint not null,
  provider_version bigint not null,
  hashes bytea,
  batch_key text,
  claimed_at bigint,
  deadline_at bigint,
  not_before bigint,
  epoch bigint not null,
  answer text,
  repeat_until bigint,
  repeats integer not null default 0,
  created_at bigint not null
);
create index batches_open on batches (partition_id, state, id) where state in (0, 1);
-- Requests without an answer that may be made again under the same key.
create index batches_repeat on batches (partition_id, id) where state = 3 and repeat_until is not null;
create index batches_unknown on batches (campaign_id, id) where state = 3;
create index batches_by_run on batches (campaign_id, run, last_id);

-- A provider's grants, by the second of the database's clock: two activations cannot grant twice.
create table budgets (provider_id bigint not null, second bigint not null, requests bigint not null, messages bigint not null, primary key (provider_id, second));
