-- A provider's failures in a row that its silos told of (0: the latest answer that was told was a good one), and when the first of them was told.
alter table provider_desks add column failures integer not null default 0;
alter table provider_desks add column failing_since integer not null default 0;
