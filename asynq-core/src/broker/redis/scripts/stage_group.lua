-- stage_group: take the tasks of a group into an aggregation set, if the group is ready.
-- Compat: Go's aggregationCheck, except that a set has a largest size, and that the name of an empty group goes.
-- KEYS[1] asynq:{<queue>}:g:<group>            sorted set
-- KEYS[2] asynq:{<queue>}:g:<group>:<set id>   sorted set
-- KEYS[3] asynq:{<queue>}:aggregation_sets     sorted set
-- KEYS[4] asynq:{<queue>}:groups               set
-- ARGV[1] now, unix seconds   ARGV[2] size from which a group is ready (0: none)   ARGV[3] delay from which it is
--   ready, seconds (empty: none)   ARGV[4] grace period, seconds   ARGV[5] size of the set at most
-- ARGV[6] end of the set's time, unix seconds   ARGV[7] group name
-- Returns 1 staged, 0 not ready.
local call = redis.call
local size, now = call('ZCARD', KEYS[1]), tonumber(ARGV[1])
if size == 0 then
  call('SREM', KEYS[4], ARGV[7])
  return 0
end
if call('EXISTS', KEYS[2]) == 1 then return 0 end
local function is_ready()
  local enough = tonumber(ARGV[2])
  if enough > 0 and size >= enough then return true end
  local oldest = call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
  if ARGV[3] ~= '' and tonumber(oldest) <= now - tonumber(ARGV[3]) then return true end
  local newest = call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
  return tonumber(newest) <= now - tonumber(ARGV[4])
end
if not is_ready() then return 0 end

local most = tonumber(ARGV[5])
if size <= most then
  call('RENAME', KEYS[1], KEYS[2])
  call('SREM', KEYS[4], ARGV[7])
else
  -- In pieces: Lua cannot unpack thousands of values.
  for first = 0, most - 1, 500 do
    local members = call('ZRANGE', KEYS[1], first, math.min(first + 499, most - 1), 'WITHSCORES')
    for i = 1, #members, 2 do members[i], members[i + 1] = members[i + 1], members[i] end
    call('ZADD', KEYS[2], unpack(members))
  end
  call('ZREMRANGEBYRANK', KEYS[1], 0, most - 1)
end
call('ZADD', KEYS[3], ARGV[6], KEYS[2])
return 1
