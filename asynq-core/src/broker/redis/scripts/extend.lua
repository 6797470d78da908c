-- extend: extend the leases of runs that still hold their tasks.
-- Compat: Go extends by ZADD XX; here a lease that is missing is put back, for a run that is proven.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:lease   sorted set
-- ARGV[1] task key prefix   ARGV[2] new end of lease, unix seconds   ARGV[3..] for each run: id, token
-- Returns one element for each run: 1 extended, 0 another run or none holds the task.
local extended, is_writing = {}, false
for at = 3, #ARGV, 2 do
  local held = fields_of(ARGV[1] .. ARGV[at], 'state', 'x_run')
  if held[1] == 'active' and held[2] == ARGV[at + 1] then
    -- Redis lets a script that has written go on although it is out of memory, and a lease must not end because of that.
    if not is_writing then redis.call('ZREM', KEYS[1], ARGV[at]) end
    is_writing = true
    redis.call('ZADD', KEYS[1], ARGV[2], ARGV[at])
    extended[#extended + 1] = 1
  else
    extended[#extended + 1] = 0
  end
end
return extended
