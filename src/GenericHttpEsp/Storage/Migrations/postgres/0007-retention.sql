-- Since when the batches of a run are older than retention (Unix milliseconds): reports say so. Its counters stay.
alter table runs add column batches_removed_at bigint;
create index runs_by_date on runs (run_date) where batches_removed_at is null;

-- Bodies are sealed now; what is kept of older ones is status and location.
update idempotency set body = '' where body is not null;

-- The ledger by the month of its runs, so that old months are dropped and statements that name the run's date look at one partition only. A month's
-- partition is made before its first run. Ids come from a sequence: tables in partitions have no identity columns.
alter table batches rename to batches_before;
alter table batches_before drop constraint batches_pkey;
drop index batches_open;
drop index batches_repeat;
drop index batches_unknown;
drop index batches_by_run;
create sequence batches_ids as bigint;
create table batches (
  id bigint not null default nextval('batches_ids'),
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
  created_at bigint not null,
  primary key (run_date, id)
) partition by range (run_date);
alter sequence batches_ids owned by batches.id;

do $$
declare month bigint;
begin
  -- This month and the next one too: a server of the version before makes none, and may start a run beside us.
  for month in select distinct run_date / 100 from (select run_date from batches_before union select run_date from runs
    union select to_char(now() at time zone 'UTC', 'YYYYMMDD')::bigint union select to_char(now() at time zone 'UTC' + interval '1 month', 'YYYYMMDD')::bigint) dates order by 1 loop
    execute format(
      'create table batches_%s partition of batches for values from (%s01) to (%s01)', month, month, case when month % 100 = 12 then month + 89 else month + 1 end);
  end loop;
end $$;

insert into batches (id, campaign_id, run, run_date, partition_id, parent_id, attempt, broken_off, state, first_id, last_id, ids, outcome, live, provider_id,
  provider_version, hashes, batch_key, claimed_at, deadline_at, not_before, epoch, answer, repeat_until, repeats, created_at)
select id, campaign_id, run, run_date, partition_id, parent_id, attempt, broken_off, state, first_id, last_id, ids, outcome, live, provider_id,
  provider_version, hashes, batch_key, claimed_at, deadline_at, not_before, epoch, answer, repeat_until, repeats, created_at
from batches_before order by run_date, id;
-- Numbers that were ever given stay given, those of removed rows too.
select setval('batches_ids', greatest((select last_value from pg_sequences where sequencename = 'batches_id_seq' and schemaname = current_schema()), (select max(id) from batches), 1));
drop table batches_before;

create index batches_open on batches (partition_id, state, id) where state in (0, 1);
-- Requests without an answer that may be made again under the same key.
create index batches_repeat on batches (partition_id, id) where state = 3 and repeat_until is not null;
create index batches_unknown on batches (campaign_id, id) where state = 3;
create index batches_by_run on batches (campaign_id, run, last_id);
