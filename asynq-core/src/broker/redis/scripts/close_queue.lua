-- close_queue: empty a queue, unless it holds what must stay.
-- Compat: Go's removeQueue, which leaves completed tasks, groups, counters, the pause and locks behind.
-- KEYS[1] asynq:{<queue>}:active      list
-- KEYS[2] asynq:{<queue>}:groups      set
-- KEYS[3] asynq:{<queue>}:aggregation_sets   sorted set
-- KEYS[4] asynq:{<queue>}:pending     list
-- KEYS[5..7] scheduled, retry and archived   sorted sets
-- KEYS[8..] all else that has a name known beforehand
-- ARGV[1] 1 also if it holds tasks
-- Returns {1} emptied, {0, tasks} it holds tasks, {-1, active} it has active tasks.
local call = redis.call
local active = call('LLEN', KEYS[1])
if ARGV[1] == '1' then
  if active > 0 then return { -1, active } end
else
  -- A group is in the set while it holds tasks: one is enough to refuse.
  local tasks = active + call('LLEN', KEYS[4]) + call('SCARD', KEYS[2]) + call('ZCARD', KEYS[3])
  for n = 5, 7 do tasks = tasks + call('ZCARD', KEYS[n]) end
  if tasks > 0 then return { 0, tasks } end
end
for _, key in ipairs(KEYS) do call('UNLINK', key) end
return { 1 }
