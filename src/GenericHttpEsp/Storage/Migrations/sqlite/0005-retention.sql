-- Since when the batches of a run are older than retention (Unix milliseconds): reports say so. Its counters stay.
alter table runs add column batches_removed_at integer;
create index runs_by_date on runs (run_date) where batches_removed_at is null;

-- Bodies are sealed now; what is kept of older ones is status and location.
update idempotency set body = x'' where body is not null;
