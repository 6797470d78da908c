-- columns: what enqueue.lua begins with, to store tasks that take no lock and whose IDs are new, as nearly all are.
-- KEYS[1] asynq:{<queue>}:pending     list
-- KEYS[2..] asynq:queues              set, given where it can share a script with the queue's keys
-- ARGV[1] queue name, or empty where that set is not given   ARGV[2] what the queue's keys begin with
-- ARGV[3] now, unix seconds   ARGV[4] now, unix nanoseconds   ARGV[5] p: all tasks are pending, g: all are in groups, or
--   what only enqueue.lua knows
-- ARGV[6..] the tasks' arguments in columns: the keys of all, their IDs, no two the same, their messages, and with g the
--   names of their groups; of 500 tasks at most, for Lua cannot unpack thousands of values
-- Returns how many tasks there were, if all are stored. Where an ID is not new it changes nothing, and leaves the tasks to
--   the rest of the script.
-- Cost: one look tells that all IDs are new, and each task takes one command more, or two in a group. No function is made.
local call, ARGV, unpack = redis.call, ARGV, unpack
local form = ARGV[5]
if form == 'p' or form == 'g' then
  local count = (#ARGV - 5) / (form == 'p' and 3 or 4)
  local ids, messages, groups = 6 + count, 6 + 2 * count, 6 + 3 * count
  if ARGV[1] ~= '' then call('SADD', KEYS[2], ARGV[1]) end
  if call('EXISTS', unpack(ARGV, 6, ids - 1)) == 0 then
    -- Places come first: that can fail, where a key holds something else, and what is stored in no place is lost.
    if form == 'p' then
      local nanos = ARGV[4]
      call('LPUSH', KEYS[1], unpack(ARGV, ids, messages - 1))
      for i = 0, count - 1 do
        call('HSET', ARGV[6 + i], 'msg', ARGV[messages + i], 'state', 'pending', 'pending_since', nanos)
      end
    else
      local prefix, now = ARGV[2] .. 'g:', ARGV[3]
      call('SADD', ARGV[2] .. 'groups', unpack(ARGV, groups))
      for i = 0, count - 1 do
        local group = ARGV[groups + i]
        call('ZADD', prefix .. group, now, ARGV[ids + i])
        call('HSET', ARGV[6 + i], 'msg', ARGV[messages + i], 'state', 'aggregating', 'group', group)
      end
    end
    return count
  end
end

