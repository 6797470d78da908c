-- reclaim_sets: put the tasks of aggregation sets whose time is up back into their groups, with their old scores.
-- Compat: Go's reclaimStateAggregationSets, which does not add the group to the set of groups and so hides its tasks.
-- KEYS[1] asynq:{<queue>}:aggregation_sets   sorted set
-- KEYS[2] asynq:{<queue>}:groups             set
-- ARGV[1] now, unix seconds   ARGV[2] group key prefix   ARGV[3] how many sets at most
-- Returns {sets put back, unix second at which the time of the next one is up or an empty string}.
local call, prefix = redis.call, ARGV[2]
local stale = call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, tonumber(ARGV[3]))
for _, set in ipairs(stale) do
  -- A key that is no set of this queue may be in another slot: it is forgotten and not touched.
  local group = string.sub(set, 1, #prefix) == prefix and string.match(string.sub(set, #prefix + 1), '^(.*):[^:]*$')
  if group and redis.pcall('TYPE', set).ok == 'zset' then
    local key = prefix .. group
    if call('EXISTS', key) == 1 then
      call('ZUNIONSTORE', key, 2, key, set, 'AGGREGATE', 'MIN')
      call('DEL', set)
    else
      call('RENAME', set, key)
    end
    call('SADD', KEYS[2], group)
  end
  call('ZREM', KEYS[1], set)
end
return { #stale, call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or '' }
