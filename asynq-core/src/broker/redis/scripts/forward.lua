-- forward: move due tasks of scheduled and retry to pending, or to their group; at most 100 of each.
-- Compat: Go's forward script, which does not add the group to the set of groups and so hides its tasks, and which
--   knows no group of a scheduled task (`x_group`, see insert.lua).
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:scheduled   sorted set
-- KEYS[2] asynq:{<queue>}:retry       sorted set
-- KEYS[3] asynq:{<queue>}:pending     list
-- KEYS[4] asynq:{<queue>}:groups      set
-- ARGV[1] now, unix seconds   ARGV[2] now, unix nanoseconds   ARGV[3] task key prefix   ARGV[4] group key prefix
-- Returns {tasks moved, unix second at which the next one is due or an empty string}.
local call = redis.call
local moved, next_due = 0, nil
for source = 1, 2 do
  for _, id in ipairs(call('ZRANGEBYSCORE', KEYS[source], '-inf', ARGV[1], 'LIMIT', 0, 100)) do
    local task = ARGV[3] .. id
    local fields = fields_of(task, 'msg', 'group', 'x_group')
    call('ZREM', KEYS[source], id)
    if fields[1] then
      local group = fields[2] or ''
      -- Once it has run, it is tried again alone.
      if group == '' and source == 1 then group = fields[3] or '' end
      if group ~= '' then
        call('ZADD', ARGV[4] .. group, ARGV[1], id)
        call('SADD', KEYS[4], group)
        call('HSET', task, 'state', 'aggregating', 'group', group)
      else
        call('LPUSH', KEYS[3], id)
        call('HSET', task, 'state', 'pending', 'pending_since', ARGV[2])
      end
      call('HDEL', task, 'x_own', 'x_run', 'x_group')
      moved = moved + 1
    end
  end
  local first = call('ZRANGE', KEYS[source], 0, 0, 'WITHSCORES')
  if first[2] and (not next_due or tonumber(first[2]) < tonumber(next_due)) then next_due = first[2] end
end
return { moved, next_due or '' }
