-- enqueue: store new tasks of one queue, each pending, scheduled or in a group, unique or not.
-- Begins with insert.lua, which stores one of them.
-- KEYS[1] asynq:{<queue>}:pending     list
-- KEYS[2] asynq:{<queue>}:scheduled   sorted set
-- KEYS[3] asynq:{<queue>}:groups      set
-- KEYS[4..] asynq:queues              set, given where it can share a script with the queue's keys
-- ARGV[1] queue name   ARGV[2] task key prefix   ARGV[3] group key prefix
-- ARGV[4] now, unix seconds   ARGV[5] now, unix nanoseconds
-- ARGV[6..] for each task: placement, id, encoded message, lock key (empty: none), lock time in seconds, and where
--   it is placed
-- Returns one element for each task: 1 stored, 0 the id already exists, or the id that holds the lock.
if KEYS[4] then redis.call('SADD', KEYS[4], ARGV[1]) end
local queue = {
  pending = KEYS[1], scheduled = KEYS[2], groups = KEYS[3],
  tasks = ARGV[2], group = ARGV[3], now = ARGV[4], nanos = ARGV[5],
}
local results = {}
for at = 6, #ARGV, 6 do
  results[#results + 1] =
    insert(queue, ARGV[at + 1], ARGV[at], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
end
return results
