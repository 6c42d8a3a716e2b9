-- Revision of the campaign's state whose pause was the latest. Only a later state opens the partition: an activation that lives on in the past does not.
alter table partitions add column control bigint not null default 0;
