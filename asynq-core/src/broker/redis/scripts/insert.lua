-- insert: what other scripts begin with, to store one new task: pending, scheduled or in a group, unique or not.
-- Begins with fields.lua and lock.lua, which takes locks.
-- Compat: the effects are those of Go's enqueue, schedule and addToGroup scripts and their unique forms, except
--   that ID and lock are both checked before anything is written, so that a refused task leaves no lock behind, and
--   that a task which is scheduled *and* grouped names its group in `x_group`. Go forgets such a group: its servers
--   run the task alone. They must not find it in `group`, for their forwarder would put the task into the group
--   without making the group known, where nobody finds it. Ours takes the name from `x_group` and does both.
-- ARGV[1..] from `at` on, what a task has beside kind, ID and message: where it is placed, unless it is pending; and where
--   the kind is a capital letter, lock key and lock time (see lock.lua). No more than is needed: each costs time.
-- Kinds: p P pending, s S scheduled (where: the due second), g G in a group (where: its name),
--   d D scheduled and then in a group (where: both, with a colon between).
-- Returns nothing: this is a function. It gives 1 stored, 0 the id already exists, or the id that holds the lock; and
--   where the next task begins.
local call, ARGV = redis.call, ARGV
local function insert(queue, kind, id, msg, at)
  local placement, where, lock, time = kind, nil, nil, nil
  -- Most are pending and not unique.
  if kind ~= 'p' then
    placement = kind:lower()
    if placement ~= 'p' then
      where, at = ARGV[at], at + 1
    end
    if placement ~= kind then
      lock, time, at = ARGV[at], ARGV[at + 1], at + 2
      local holder = lock_holder(queue.tasks, lock)
      if holder then return holder, at end
    end
  end
  local task = queue.tasks .. id
  if call('EXISTS', task) == 1 then return 0, at end
  -- Its place comes first: that can fail, where a key holds something else, and what is stored in no place is lost.
  if placement == 'p' then
    call('LPUSH', queue.pending, id)
    call('HSET', task, 'msg', msg, 'state', 'pending', 'pending_since', queue.nanos)
  elseif placement == 's' then
    call('ZADD', queue.prefix .. 'scheduled', where, id)
    call('HSET', task, 'msg', msg, 'state', 'scheduled')
  elseif placement == 'd' then
    local due, group = string.match(where, '^(%-?%d+):(.*)$')
    call('ZADD', queue.prefix .. 'scheduled', due, id)
    call('HSET', task, 'msg', msg, 'state', 'scheduled', 'x_group', group)
  else
    call('SADD', queue.prefix .. 'groups', where)
    call('ZADD', queue.prefix .. 'g:' .. where, queue.now, id)
    call('HSET', task, 'msg', msg, 'state', 'aggregating', 'group', where)
  end
  if lock then take_lock(task, id, lock, time) end
  return 1, at
end
