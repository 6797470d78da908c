-- read_members: what is stored of members of an aggregation set, in the order in which they are named. Changes nothing.
-- Compat: Go's readAggregationSet, in pieces and with the IDs.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:g:<group>:<set id>   sorted set
-- ARGV[1] task key prefix   ARGV[2..] IDs
-- Returns {id, message or nil, ...} of those that are still members.
local members = {}
for i = 2, #ARGV do
  local id, at = ARGV[i], #members
  if redis.call('ZSCORE', KEYS[1], id) then
    members[at + 1], members[at + 2] = id, fields_of(ARGV[1] .. id, 'msg')[1] or false
  end
end
return members
