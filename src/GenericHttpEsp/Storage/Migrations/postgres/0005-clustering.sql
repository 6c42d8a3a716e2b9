-- The contract of Orleans.Clustering.AdoNet: query keys, parameter names and result columns are theirs, the statements are ours. One row of
-- OrleansMembershipVersion is the lock of all changes: who changes a member also moves the version on from the one it read, in one statement, so of two
-- silos that decide at once one is told 0 and reads again. A database clock is not involved; IAmAliveTime only ever grows.
create table OrleansMembershipVersion (
  DeploymentId text not null primary key,
  Version integer not null default 0
);
create table OrleansMembership (
  DeploymentId text not null references OrleansMembershipVersion,
  Address text not null,
  Port integer not null,
  Generation integer not null,
  SiloName text not null,
  HostName text not null,
  Status integer not null,
  ProxyPort integer,
  SuspectTimes text,
  StartTime timestamptz not null,
  IAmAliveTime timestamptz not null,
  primary key (DeploymentId, Address, Port, Generation)
);

insert into OrleansQuery values ('InsertMembershipVersionKey', '
with added as (insert into OrleansMembershipVersion (DeploymentId) values (@DeploymentId) on conflict do nothing returning 1)
select count(*)::int from added');

insert into OrleansQuery values ('InsertMembershipKey', '
with moved as (
  update OrleansMembershipVersion set Version = Version + 1
  where DeploymentId = @DeploymentId and Version = @Version and not exists (
    select 1 from OrleansMembership where DeploymentId = @DeploymentId and Address = @Address and Port = @Port and Generation = @Generation)
  returning DeploymentId),
added as (
  insert into OrleansMembership (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
  select DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime from moved
  returning 1)
select count(*)::int from added');

insert into OrleansQuery values ('UpdateMembershipKey', '
with moved as (
  update OrleansMembershipVersion set Version = Version + 1
  where DeploymentId = @DeploymentId and Version = @Version and exists (
    select 1 from OrleansMembership where DeploymentId = @DeploymentId and Address = @Address and Port = @Port and Generation = @Generation)
  returning DeploymentId),
changed as (
  update OrleansMembership m set Status = @Status, SuspectTimes = @SuspectTimes::text, IAmAliveTime = greatest(m.IAmAliveTime, @IAmAliveTime)
  from moved
  where m.DeploymentId = moved.DeploymentId and m.Address = @Address and m.Port = @Port and m.Generation = @Generation
  returning 1)
select count(*)::int from changed');

insert into OrleansQuery values ('UpdateIAmAlivetimeKey', '
update OrleansMembership set IAmAliveTime = greatest(IAmAliveTime, @IAmAliveTime)
where DeploymentId = @DeploymentId and Address = @Address and Port = @Port and Generation = @Generation');

insert into OrleansQuery values ('MembershipReadRowKey', '
select v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes, m.StartTime, m.IAmAliveTime, v.Version
from OrleansMembershipVersion v
left join OrleansMembership m on m.DeploymentId = v.DeploymentId and m.Address = @Address and m.Port = @Port and m.Generation = @Generation
where v.DeploymentId = @DeploymentId');

insert into OrleansQuery values ('MembershipReadAllKey', '
select v.DeploymentId, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes, m.StartTime, m.IAmAliveTime, v.Version
from OrleansMembershipVersion v
left join OrleansMembership m on m.DeploymentId = v.DeploymentId
where v.DeploymentId = @DeploymentId');

insert into OrleansQuery values ('GatewaysQueryKey', '
select Address, ProxyPort, Generation from OrleansMembership where DeploymentId = @DeploymentId and Status = @Status and ProxyPort > 0');

insert into OrleansQuery values ('DeleteMembershipTableEntriesKey', '
delete from OrleansMembership where DeploymentId = @DeploymentId;
delete from OrleansMembershipVersion where DeploymentId = @DeploymentId');

-- 6 is SiloStatus.Dead. 10.4.2 asks for the first key at its start and deletes row by row with the second when it has it.
insert into OrleansQuery values ('CleanupDefunctSiloEntriesKey', '
delete from OrleansMembership
where DeploymentId = @DeploymentId and Status = 6 and IAmAliveTime < @IAmAliveTime and StartTime < @IAmAliveTime and coalesce(SuspectTimes, '''') = ''''');

insert into OrleansQuery values ('CleanupDefunctSiloEntryKey', '
delete from OrleansMembership
where DeploymentId = @DeploymentId and Status = 6 and Address = @Address and Port = @Port and Generation = @Generation
  and IAmAliveTime = @IAmAliveTime and StartTime = @StartTime and coalesce(SuspectTimes, '''') = coalesce(@SuspectTimes::text, '''')');
