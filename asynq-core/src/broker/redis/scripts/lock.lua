-- lock: what other scripts begin with, to take uniqueness locks.
-- Begins with fields.lua, which reads tasks.
-- Compat: Go's locks and their `SET … NX EX`. The value of a lock is the ID of its task, and whoever ends or deletes a
--   task, Go as well as we, deletes its lock only where it finds that ID. So a lock that is to be kept for its whole
--   time has another value, `x:ttl:` and the ID.
--   Go refuses a task wherever there is a lock. Here a lock counts no more when its task is gone, as Go leaves some
--   behind, or when the task was to hold it until it starts (`x_until`) and does not wait any more.
-- Returns nothing: these are functions.
local KEPT = 'x:ttl:'

-- The ID of the task because of which no other may take the lock; nothing where one may.
local function lock_holder(tasks, lock)
  local value = redis.call('GET', lock)
  if not value then return nil end
  if string.sub(value, 1, #KEPT) == KEPT then return string.sub(value, #KEPT + 1) end
  local fields = fields_of(tasks .. value, 'state', 'x_until')
  local state = fields[1]
  if not state then return nil end
  if fields[2] == 'start' and (state == 'active' or state == 'completed' or state == 'archived') then return nil end
  return value
end

-- Takes a lock that is free, for a task that is stored. The time is a number of seconds; with `:start` behind it the
-- lock is held until the task starts, with `:ttl` for the whole time.
local function take_lock(task, id, lock, time)
  local seconds, until_what = string.match(time, '^(%d+):?(%a*)$')
  redis.call('HSET', task, 'unique_key', lock)
  if until_what == 'start' then redis.call('HSET', task, 'x_until', 'start') end
  redis.call('SET', lock, until_what == 'ttl' and KEPT .. id or id, 'EX', seconds)
end
