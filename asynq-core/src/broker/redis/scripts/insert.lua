-- insert: what other scripts begin with, to store one new task: pending, scheduled or in a group, unique or not.
-- Begins with fields.lua and lock.lua, which takes locks.
-- Compat: the effects are those of Go's enqueue, schedule and addToGroup scripts and their unique forms, except
--   that ID and lock are both checked before anything is written, so that a refused task leaves no lock behind, and
--   that a task which is scheduled *and* grouped names its group in `x_group`. Go forgets such a group: its servers
--   run the task alone. They must not find it in `group`, for their forwarder would put the task into the group
--   without making the group known, where nobody finds it. Ours takes the name from `x_group` and does both.
-- Placements: p pending, s scheduled (where: the due second), g in a group (where: its name),
--   d scheduled and then in a group (where: both, with a colon between).
-- Where the queue has a list `ready`, IDs of pending tasks are collected there; `push_ready` puts them into the queue.
-- Returns 1 stored, 0 the id already exists, or the id that holds the lock: that is what the function gives.
local function insert(queue, id, placement, msg, lock, time, where)
  local call = redis.call
  if lock ~= '' then
    local holder = lock_holder(queue.tasks, lock)
    if holder then return holder end
  end
  local task = queue.tasks .. id
  if call('EXISTS', task) == 1 then return 0 end
  -- Its place comes first: that can fail, where a key holds something else, and what is stored in no place is lost.
  if placement == 'p' then
    local ready = queue.ready
    if ready then ready[#ready + 1] = id else call('LPUSH', queue.pending, id) end
    call('HSET', task, 'msg', msg, 'state', 'pending', 'pending_since', queue.nanos)
  elseif placement == 's' then
    call('ZADD', queue.scheduled, where, id)
    call('HSET', task, 'msg', msg, 'state', 'scheduled')
  elseif placement == 'd' then
    local due, group = string.match(where, '^(%-?%d+):(.*)$')
    call('ZADD', queue.scheduled, due, id)
    call('HSET', task, 'msg', msg, 'state', 'scheduled', 'x_group', group)
  else
    call('SADD', queue.groups, where)
    call('ZADD', queue.group .. where, queue.now, id)
    call('HSET', task, 'msg', msg, 'state', 'aggregating', 'group', where)
  end
  if lock ~= '' then take_lock(task, id, lock, time) end
  return 1
end

-- Puts the collected tasks into the queue at once, in pieces that Lua can unpack. That cannot fail, for whoever makes
-- the list `ready` sees to it that the key holds a list.
local function push_ready(queue)
  local ready = queue.ready
  for first = 1, #ready, 500 do
    redis.call('LPUSH', queue.pending, unpack(ready, first, math.min(first + 499, #ready)))
  end
end
