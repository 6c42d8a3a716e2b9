-- The contract of Orleans.Persistence.AdoNet: query keys, parameter names and result columns are theirs, the statements are ours. GrainTypeString holds
-- the state's name. Name and Status are filled by the same statement as the payload, for lists and searches; no two providers share a name.
create table OrleansQuery (QueryKey text not null primary key, QueryText text not null);
create table GrainState (
  ServiceId text not null,
  GrainTypeString text not null,
  GrainIdN0 bigint not null,
  GrainIdN1 bigint not null,
  GrainIdExtensionString text not null default '',
  PayloadBinary bytea,
  Version integer not null,
  ModifiedOn timestamptz not null,
  Name text,
  Status text,
  primary key (ServiceId, GrainTypeString, GrainIdN0, GrainIdN1, GrainIdExtensionString)
);
create unique index GrainStateUniqueName on GrainState (ServiceId, GrainTypeString, Name) where GrainTypeString = 'provider' and Name is not null;
create index GrainStateByStatus on GrainState (ServiceId, GrainTypeString, Status, GrainIdN1);

insert into OrleansQuery values ('ReadFromStorageKey', '
select PayloadBinary, Version from GrainState
where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
  and GrainIdExtensionString = coalesce(@GrainIdExtensionString::text, '''')');

insert into OrleansQuery values ('WriteToStorageKey', '
with payload as (select convert_from(@PayloadBinary::bytea, ''UTF8'')::jsonb as json),
first as (
  insert into GrainState (ServiceId, GrainTypeString, GrainIdN0, GrainIdN1, GrainIdExtensionString, PayloadBinary, Version, ModifiedOn, Name, Status)
  select @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString::text, ''''), @PayloadBinary, 1, now(), json ->> ''Name'', json ->> ''Status''
  from payload where @GrainStateVersion::int is null
  on conflict (ServiceId, GrainTypeString, GrainIdN0, GrainIdN1, GrainIdExtensionString) do nothing
  returning Version),
later as (
  update GrainState g set PayloadBinary = @PayloadBinary, Version = g.Version + 1, ModifiedOn = now(), Name = json ->> ''Name'', Status = json ->> ''Status''
  from payload
  where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
    and GrainIdExtensionString = coalesce(@GrainIdExtensionString::text, '''') and g.Version = @GrainStateVersion::int
  returning g.Version)
select coalesce((select Version from first), (select Version from later)) as NewGrainStateVersion');

insert into OrleansQuery values ('ClearStorageKey', '
update GrainState set PayloadBinary = null, Version = Version + 1, ModifiedOn = now(), Name = null, Status = null
where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
  and GrainIdExtensionString = coalesce(@GrainIdExtensionString::text, '''') and Version = @GrainStateVersion::int
returning Version as NewGrainStateVersion');
