-- extend: extend the leases of runs that still hold their tasks.
-- Compat: Go extends by ZADD XX; here a lease that is missing is put back, for a run that is proven.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:lease   sorted set
-- ARGV[1] task key prefix   ARGV[2] new end of lease, unix seconds   ARGV[3..] for each run: id, token; of 500 runs at most,
--   for Lua cannot unpack thousands of values
-- Returns one element for each run: 1 extended, 0 another run or none holds the task.
-- Cost: who runs thousands of tasks extends all of them every few seconds. One look at each, and one command for all.
local call, pcall, lease, prefix, till = redis.call, redis.pcall, KEYS[1], ARGV[1], ARGV[2]
local extended, leases, count = {}, {}, 0
for at = 3, #ARGV, 2 do
  local id, is_held = ARGV[at], 0
  local run = pcall('HGET', prefix .. id, 'x_run')
  -- What comes of an error is not decided here.
  if run and run.err then run = fields_of(prefix .. id, 'x_run')[1] end
  if run == ARGV[at + 1] then
    leases[count + 1], leases[count + 2] = till, id
    count, is_held = count + 2, 1
  end
  extended[#extended + 1] = is_held
end
if count == 0 then return extended end
-- Redis lets a script that has written go on although it is out of memory, and a lease must not end because of that.
call('ZREM', lease, '')
if call('ZADD', lease, 'XX', 'CH', unpack(leases)) < count / 2 then
  -- Some end then already, or are missing: Go's programs leave tokens in tasks that they take out of active.
  for n = 1, #extended do
    local id = ARGV[1 + 2 * n]
    if extended[n] == 1 and not call('ZSCORE', lease, id) then
      if fields_of(prefix .. id, 'state')[1] == 'active' then
        call('ZADD', lease, till, id)
      else
        extended[n] = 0
      end
    end
  end
end
return extended
