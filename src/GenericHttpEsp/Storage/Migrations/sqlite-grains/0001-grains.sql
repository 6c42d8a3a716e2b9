-- The contract of Orleans.Persistence.AdoNet: query keys, parameter names and result columns are theirs, the statements are ours. GrainTypeString holds
-- the state's name. Name and Status are what lists and searches ask for; no two states of one kind share a name.
create table OrleansQuery (QueryKey text not null primary key, QueryText text not null) without rowid;
create table GrainState (
  ServiceId text not null,
  GrainTypeString text not null,
  GrainIdN0 integer not null,
  GrainIdN1 integer not null,
  GrainIdExtensionString text not null default '',
  PayloadBinary blob,
  Version integer not null,
  ModifiedOn text not null,
  Name text generated always as (json_extract(cast(PayloadBinary as text), '$.Name')) stored,
  Status text generated always as (json_extract(cast(PayloadBinary as text), '$.Status')) stored,
  primary key (ServiceId, GrainTypeString, GrainIdN0, GrainIdN1, GrainIdExtensionString)
) without rowid;
create unique index GrainStateUniqueName on GrainState (ServiceId, GrainTypeString, Name) where GrainTypeString = 'provider' and Name is not null;
create index GrainStateByStatus on GrainState (ServiceId, GrainTypeString, Status, GrainIdN1);

insert into OrleansQuery values ('ReadFromStorageKey', '
select PayloadBinary, Version from GrainState
where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
  and GrainIdExtensionString = coalesce(@GrainIdExtensionString, '''')');

insert into OrleansQuery values ('WriteToStorageKey', '
insert into GrainState (ServiceId, GrainTypeString, GrainIdN0, GrainIdN1, GrainIdExtensionString, PayloadBinary, Version, ModifiedOn)
select @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString, ''''), @PayloadBinary, coalesce(@GrainStateVersion, 0) + 1, datetime(''now'')
where @GrainStateVersion is null or exists (
  select 1 from GrainState where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
    and GrainIdExtensionString = coalesce(@GrainIdExtensionString, ''''))
on conflict (ServiceId, GrainTypeString, GrainIdN0, GrainIdN1, GrainIdExtensionString) do update
  set PayloadBinary = excluded.PayloadBinary, Version = excluded.Version, ModifiedOn = excluded.ModifiedOn
  where GrainState.Version = @GrainStateVersion;
select case when changes() > 0 then coalesce(@GrainStateVersion, 0) + 1 end as NewGrainStateVersion');

insert into OrleansQuery values ('ClearStorageKey', '
update GrainState set PayloadBinary = null, Version = Version + 1, ModifiedOn = datetime(''now'')
where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
  and GrainIdExtensionString = coalesce(@GrainIdExtensionString, '''') and Version = @GrainStateVersion;
select case when changes() > 0 then @GrainStateVersion + 1 end as NewGrainStateVersion');
