-- adopt: store a task in whatever state.
-- Begins with fields.lua and lock.lua, which takes its lock.
-- KEYS[1] asynq:{<queue>}:t:<id>   task hash
-- KEYS[2] the list of pending tasks, or the sorted set of the state
-- KEYS[3..] asynq:queues           set, given where it can share a script with the queue's keys
-- ARGV[1] queue name, or empty where that set is not given   ARGV[2] task id   ARGV[3] message   ARGV[4] state
-- ARGV[5] score   ARGV[6] now, unix nanoseconds
-- ARGV[7] lock key (empty: none)   ARGV[8] lock time (see lock.lua)   ARGV[9..] other fields of the hash: name, value
-- Returns 1 stored, 0 the id already exists, or the id that holds the lock.
local call = redis.call
if ARGV[7] ~= '' then
  local tasks = string.sub(KEYS[1], 1, #KEYS[1] - #ARGV[2])
  local holder = lock_holder(tasks, ARGV[7])
  if holder then return holder end
end
if call('EXISTS', KEYS[1]) == 1 then return 0 end
if ARGV[1] ~= '' then call('SADD', KEYS[3], ARGV[1]) end
call('HSET', KEYS[1], 'msg', ARGV[3], 'state', ARGV[4])
if ARGV[4] == 'pending' then
  call('HSET', KEYS[1], 'pending_since', ARGV[6])
  call('LPUSH', KEYS[2], ARGV[2])
else
  call('ZADD', KEYS[2], ARGV[5], ARGV[2])
end
for at = 9, #ARGV, 2 do call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
if ARGV[7] ~= '' then take_lock(KEYS[1], ARGV[2], ARGV[7], ARGV[8]) end
return 1
