-- Revision of the campaign's state that an announcement belongs to, or will belong to: an activation with an older state does not take it away.
alter table campaign_work add column revision bigint not null default 0;
