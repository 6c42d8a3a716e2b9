-- A campaign with work to do: written before the grain's state when it starts, removed after it when it ends. The sweeper pokes rows that are due.
create table campaign_work (
  campaign_id integer not null primary key,
  due_at integer not null,
  poked_at integer not null default 0
) without rowid;

-- run_date is yyyymmdd in UTC, from the start of the run.
create table runs (
  campaign_id integer not null,
  run integer not null,
  run_date integer not null,
  started_at integer not null,
  audience integer not null,
  primary key (campaign_id, run)
) without rowid;

-- One row for each range of 4096 ids that has someone; ids are ascending.
create table audience (campaign_id integer not null, run integer not null, block integer not null, ids blob not null, primary key (campaign_id, run, block)) without rowid;

-- cursor = the last id claimed; blocks first_block to last_block belong to it. Counters change only with outcome bytes, in one transaction.
create table partitions (
  id integer primary key autoincrement,
  campaign_id integer not null,
  run integer not null,
  first_block integer not null,
  last_block integer not null,
  last_id integer not null,
  cursor integer not null,
  epoch integer not null,
  state text not null,
  starts integer not null,
  total integer not null,
  to_come integer not null,
  accepted integer not null default 0,
  refused integer not null default 0,
  failed integer not null default 0,
  unknown integer not null default 0,
  skipped_unsubscribed integer not null default 0,
  skipped_group integer not null default 0,
  skipped_erased integer not null default 0,
  skipped_render integer not null default 0,
  skipped_bad_address integer not null default 0,
  skipped_too_late integer not null default 0,
  skipped_stopped integer not null default 0,
  retried integer not null default 0,
  possibly_repeated integer not null default 0
);
create index partitions_by_run on partitions (campaign_id, run, id);

-- The ledger. state: 0 waiting, 1 claimed, 2 closed, 3 unknown, 4 split. outcome: one byte an id. live = ids still to come in this row.
-- attempt = requests made for these records before; broken_off = of the latest tries, those in a row that ended before the whole request was sent.
create table batches (
  id integer primary key autoincrement,
  campaign_id integer not null,
  run integer not null,
  run_date integer not null,
  partition_id integer not null,
  parent_id integer,
  attempt integer not null,
  broken_off integer not null default 0,
  state integer not null,
  first_id integer not null,
  last_id integer not null,
  ids blob not null,
  outcome blob not null,
  live integer not null,
  provider_id integer not null,
  provider_version integer not null,
  hashes blob,
  batch_key text,
  claimed_at integer,
  deadline_at integer,
  not_before integer,
  epoch integer not null,
  answer text,
  repeat_until integer,
  repeats integer not null default 0,
  created_at integer not null
);
create index batches_open on batches (partition_id, state, id) where state in (0, 1);
-- Requests without an answer that may be made again under the same key.
create index batches_repeat on batches (partition_id, id) where state = 3 and repeat_until is not null;
create index batches_unknown on batches (campaign_id, id) where state = 3;
create index batches_by_run on batches (campaign_id, run, last_id);

-- A provider's grants, by the second of the database's clock: two activations cannot grant twice.
create table budgets (provider_id integer not null, second integer not null, requests integer not null, messages integer not null, primary key (provider_id, second)) without rowid;
