-- exchange: settle runs that have ended, then lease pending tasks, for any number of queues in one call.
-- Compat: the effects are those of Go's done, markAsComplete, retry, archive, requeue and dequeue scripts, with
--   every precondition checked before the first write. On a cluster each call names one queue only.
-- KEYS[1..] for each queue: pending, active, lease, paused, processed:<day>, processed, x:waits; those that are seldom
--   needed are named here, as the keys of tasks are
-- ARGV[1] number of queues   ARGV[2] now, unix seconds   ARGV[3] end of new leases, unix seconds   ARGV[4] server id
-- ARGV[5] token of the new runs   ARGV[6] free slots   ARGV[7] seed of the draw by weights; empty: strict order
-- ARGV[8] number of types of which only so many may be taken   ARGV[9] 1 to tell since when leased tasks were pending
-- ARGV[10] length from which the caller reads a message by itself (0: none; and none where only so many of a type may
--   be taken)   ARGV[11] channel on which the end of a run that somebody waits for is published
-- ARGV[12..] for each queue: key prefix, weight (0: only settle), how many may be taken, 1 if the server beats with it;
--   then, where there are such types, how many tasks may be passed over, and for each its name, how many; then for each
--   group of settlements that have these in common: queue number, kind, run token (empty: none), latest end of the
--   lease with a ( before it, how many; then for each of the group: id, and by its kind
--     d done: nothing   u done: lock key   v revoked: lock key (empty: none)
--     c complete: lock key (empty: none), message, kept until, 1 or 0, result
--     r retry: message, due, 1 if a failure
--     a archive: 1 or 0, message, lock to release (empty: none), archive cutoff in unix seconds, how many stay in it
--     m put back, its type is unknown: message, due, given up after so many times, cutoff and how many as for a
--     q requeue: 1 if its worker died, now in unix nanoseconds
-- Returns one list of pieces: leased, queue number, how many, then for each id, message (nil: left to the caller),
--   pending since (if asked for); refused, which settlement was not applied, from 1; dropped (no task, or pending
--   twice), queue number, id; paused, queue number; passed over (tasks were left because of their type), queue number;
--   crowded (many are active in a queue of the settlements, and some of these were not taken of late). Or an error,
--   after which the caller knows neither what was settled nor what was leased, as after an answer that was lost.
-- Cost: a call does much more than Redis' own work for few tasks, and for each task Lua takes as long as Redis. So it
--   has few arguments, makes few tables, in the answer too, and few functions; a list that grows has room for eight
--   from the start; and what is done for each task calls no function that mostly does nothing.
local call, try, unpack, KEYS, ARGV = redis.call, redis.pcall, unpack, KEYS, ARGV
local queues, now = tonumber(ARGV[1]), ARGV[2]
local MAX = 9223372036854775807

-- The first answer that is an error but does not say that a key holds something else: whoever is not allowed to look
-- does not know that a task is missing. It ends no loop, so that nothing is left half-done, and is the answer to the call.
local trouble
-- What the caller is told beside what it has leased.
local notes = {}
local left_of_type

-- What the script knows of each queue.
local all = {}

-- How many arguments each settlement of a kind has.
local function width_of(kind)
  return kind == 'd' and 1 or (kind == 'u' or kind == 'v') and 2 or kind == 'q' and 3 or kind == 'r' and 4 or 6
end

-- What few calls need, made for the first that does.
local rare
local function rarely()
  if rare then return rare end
  -- The name of what has left the list of active tasks, until `remove`: no other has it.
  local has_left = 'x:left:' .. ARGV[5]

  local function release(lock, id)
    if lock ~= '' and try('GET', lock) == id then call('DEL', lock) end
  end

  local function trim(queue, ids)
    for _, id in ipairs(ids) do
      call('DEL', queue.prefix .. id)
      call('ZREM', queue.base .. 'archived', id)
    end
    if #ids > 0 then try('INCRBY', queue.base .. 'x:trimmed', #ids) end
  end

  local function archive(queue, id, cutoff, most)
    local archived = queue.base .. 'archived'
    call('ZADD', archived, now, id)
    trim(queue, call('ZRANGEBYSCORE', archived, '-inf', cutoff, 'LIMIT', 0, 1000))
    local excess = call('ZCARD', archived) - tonumber(most)
    if excess > 0 then trim(queue, call('ZRANGE', archived, 0, math.min(excess, 1000) - 1)) end
  end

  rare = {
    is_trouble = function(answer)
      if type(answer) ~= 'table' or answer.err:sub(1, 9) == 'WRONGTYPE' then return false end
      trouble = trouble or answer
      return true
    end,

    -- The ends of leases that are later than `latest`, of `count` settlements whose IDs stand from `first` on, `width`
    -- apart, by one command where the server has it and Lua can unpack them.
    later_ends = function(key, latest, first, count, width)
      local ids = {}
      for i = 1, count do ids[i] = ARGV[first + (i - 1) * width] end
      local ends = count <= 4000 and try('ZMSCORE', key, unpack(ids)) or { err = '' }
      for i, id in ipairs(ids) do
        local held_until = ends[i]
        if ends.err then held_until = call('ZSCORE', key, id) end
        ends[i] = held_until and tonumber(held_until) > latest and held_until
      end
      return ends
    end,

    -- What each kind but d does; its arguments begin at `at`.
    settle = function(kind, queue, id, task, at)
      if kind == 'u' or kind == 'v' then return release(ARGV[at], id) end
      if kind == 'c' then
        call('ZADD', queue.base .. 'completed', ARGV[at + 2], id)
        call('HSET', task, 'msg', ARGV[at + 1], 'state', 'completed')
        if ARGV[at + 3] == '1' then call('HSET', task, 'result', ARGV[at + 4]) end
        release(ARGV[at], id)
        queue.processed = queue.processed + 1
      elseif kind == 'r' then
        call('ZADD', queue.base .. 'retry', ARGV[at + 1], id)
        call('HSET', task, 'msg', ARGV[at], 'state', 'retry')
        if ARGV[at + 2] == '1' then
          queue.processed, queue.failed = queue.processed + 1, queue.failed + 1
        end
      elseif kind == 'a' then
        if ARGV[at] == '1' then call('HSET', task, 'msg', ARGV[at + 1]) end
        call('HSET', task, 'state', 'archived')
        archive(queue, id, ARGV[at + 3], ARGV[at + 4])
        release(ARGV[at + 2], id)
        queue.processed, queue.failed = queue.processed + 1, queue.failed + 1
      elseif kind == 'm' then
        call('HSET', task, 'msg', ARGV[at])
        local misses = try('HINCRBY', task, 'x_miss', '1')
        if type(misses) == 'table' then
          call('HSET', task, 'x_miss', '1')
          misses = 1
        end
        if misses < tonumber(ARGV[at + 2]) then
          call('HSET', task, 'state', 'retry')
          call('ZADD', queue.base .. 'retry', ARGV[at + 1], id)
        else
          call('HSET', task, 'state', 'archived')
          archive(queue, id, ARGV[at + 3], ARGV[at + 4])
          queue.processed, queue.failed = queue.processed + 1, queue.failed + 1
        end
      elseif kind == 'q' then
        call('RPUSH', queue.pending, id)
        call('HSET', task, 'state', 'pending', 'pending_since', ARGV[at + 1])
        -- An error here would leave the batch half-settled: what is no number counts as none.
        if ARGV[at] == '1' and type(try('HINCRBY', task, 'x_crash', '1')) == 'table' then
          call('HSET', task, 'x_crash', '1')
        end
      end
      call('HDEL', task, 'x_own', 'x_run')
    end,

    -- Wakes those who wait for a task, if somebody does. What is not kept leaves word that it has succeeded.
    tell = function(queue, kind, id)
      if try('ZREM', queue.waits, id) ~= 1 then return end
      if kind == 'd' or kind == 'u' then try('SET', queue.waits .. ':' .. id, '', 'EX', 60) end
      try('PUBLISH', ARGV[11], queue.prefix .. id)
    end,

    -- Whether one more of a task's type may be taken; if so it is counted.
    fits = function(msg)
      -- The type is field 1 of a message, which every writer puts first, behind its length.
      if msg:byte(1) ~= 10 then return true end
      local length, unit, name = 0, 1, nil
      for i = 2, math.min(11, #msg) do
        local byte = msg:byte(i)
        length, unit = length + (byte % 128) * unit, unit * 128
        if byte < 128 then
          name = msg:sub(i + 1, i + length)
          break
        end
      end
      local left = name and left_of_type[name]
      if not left then return true end
      left_of_type[name] = math.max(left - 1, 0)
      return left > 0
    end,

    contains = function(list, id)
      for _, other in ipairs(list) do
        if other == id then return true end
      end
      return false
    end,

    -- Where the tasks of a queue stand in the list of active ones whose settlements come from argument `at` on, by ID;
    -- or nothing, where so few come that to search the list for each is less work, or LSET is refused, which it is where
    -- it would change nothing, too.
    places_of = function(queue, at, last)
      local places, count = {}, 0
      while at <= last do
        local each, width, first = tonumber(ARGV[at + 4]), width_of(ARGV[at + 1]), at + 5
        if all[tonumber(ARGV[at])] == queue then
          for place = first, first + (each - 1) * width, width do places[ARGV[place]] = 0 end
          count = count + each
        end
        at = first + each * width
      end
      if count < 48 then return nil end
      local ids = call('LRANGE', queue.active, '0', '-1')
      if try('LSET', queue.active, '0', ids[1]).err then return nil end
      for place = 1, #ids do
        if places[ids[place]] then places[ids[place]] = place end
      end
      return places
    end,

    -- Takes a task out of the list of active ones, if it is there.
    leaves = function(queue, id)
      local place = queue.places[id]
      if not place or place == 0 then return false end
      call('LSET', queue.active, place - 1, has_left)
      queue.places[id], queue.left = nil, queue.left + 1
      return true
    end,

    -- One search for all that have left.
    remove = function(queue) call('LREM', queue.active, queue.left, has_left) end,
  }
  return rare
end

local function new_list() return { nil, nil, nil, nil, nil, nil, nil, nil } end

-- Lists are handed to Redis in pieces, from `start` on: Lua cannot unpack thousands of values.
local function in_pieces(command, key, list, start)
  local count = #list
  while start <= count do
    local last = count - start < 500 and count or start + 499
    if key then call(command, key, unpack(list, start, last)) else call(command, unpack(list, start, last)) end
    start = last + 1
  end
end

local slots, open = tonumber(ARGV[6]), 0
for n = 1, queues do
  local k, at = (n - 1) * 7, 8 + 4 * n
  local base, weight = ARGV[at], ARGV[at + 1]
  -- One call tells two things, since a key that is named twice counts twice.
  local found = call('EXISTS', KEYS[k + 4], KEYS[k + 4], KEYS[k + 7])
  local is_served = slots > 0 and weight ~= '0'
  all[n] = {
    pending = KEYS[k + 1], active = KEYS[k + 2], lease = KEYS[k + 3], processed_day = KEYS[k + 5],
    processed_total = KEYS[k + 6], waits = KEYS[k + 7], base = base, prefix = base .. 't:', number = n,
    weight = weight, most = ARGV[at + 2], beats = ARGV[at + 3], is_open = is_served and found < 2,
    is_waited_in = found % 2 == 1, processed = 0, failed = 0,
    -- Lists, where there is something in them.
    unleased = false, deleted = false, taken = false,
    -- Where its active tasks stand, and how many have left, where that was looked for.
    places = false, left = false,
  }
  if is_served then
    if found < 2 then
      open = open + 1
    else
      notes[#notes + 1], notes[#notes + 2] = 'paused', n
    end
  end
end

local at, last, number = 12 + 4 * queues, #ARGV, 0
local is_limited, most_passed = ARGV[8] ~= '0', 1
if is_limited then
  left_of_type, most_passed, at = {}, tonumber(ARGV[at]), at + 1
  for _ = 1, tonumber(ARGV[8]) do
    left_of_type[ARGV[at]], at = tonumber(ARGV[at + 1]), at + 2
  end
end
while at <= last do
  local queue, kind, run, latest = all[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local count, first = tonumber(ARGV[at + 4]), at + 5
  local is_deleted = kind == 'd' or kind == 'u' or kind == 'v'
  local width = width_of(kind)
  local settle = kind ~= 'd' and rarely().settle
  queue.unleased, queue.deleted = queue.unleased or new_list(), queue.deleted or new_list()
  local prefix, active, unleased, deleted = queue.prefix, queue.active, queue.unleased, queue.deleted
  local deleted_before, is_waited_in = #deleted, queue.is_waited_in
  -- What runs longest stands at the end of the list, and mostly ends first; but where many run (CROWD), what was taken of
  -- late (OF_LATE) is looked for at the front before the list is searched (LPOS is new in Redis 6.0.6). Tasks of one run
  -- token were taken together, and stand together: where one is tells where all are. The conformance suite compares both
  -- numbers. Where very many run that end in no order, one look at the whole list tells where each is.
  queue.running = queue.running or call('LLEN', active)
  local from = '-1'
  if queue.running > 256 and not queue.places then
    local place = try('LPOS', active, ARGV[first], 'MAXLEN', '64')
    if type(place) == 'number'
      or type(place) == 'table' and rarely().contains(call('LRANGE', active, '0', '63'), ARGV[first])
    then
      from = '1'
    else
      if not queue.is_crowded then
        queue.is_crowded, notes[#notes + 1] = true, 'crowded'
      end
      if queue.running > 1000 and not queue.left
        and try('LPOS', active, ARGV[first], 'RANK', '-1', 'MAXLEN', '512') == false
      then
        queue.places, queue.left = rarely().places_of(queue, at, last), 0
      end
    end
  end
  local places = queue.places
  -- Mostly no lease ends later, which one look at the whole set tells.
  local later = try('ZCOUNT', queue.lease, latest, '+inf') ~= 0
    and rarely().later_ends(queue.lease, tonumber(latest:sub(2)), first, count, width)
  for i = 1, count do
    local place = first + (i - 1) * width
    local id = ARGV[place]
    local task = prefix .. id
    local holder = try('HGET', task, 'x_run') or ''
    if holder == run and not (later and later[i]) and (run ~= '' or call('EXISTS', task) == 1)
      and (places and rarely().leaves(queue, id) or not places and call('LREM', active, from, id) == 1)
    then
      unleased[#unleased + 1] = id
      if is_deleted then deleted[#deleted + 1] = task end
      if settle then settle(kind, queue, id, task, place + 1) end
      if is_waited_in then rarely().tell(queue, kind, id) end
    else
      rarely().is_trouble(holder)
      notes[#notes + 1], notes[#notes + 2] = 'refused', number + i
    end
  end
  queue.processed = queue.processed + #deleted - deleted_before
  number, at = number + count, first + count * width
end

-- Counting never undoes a settlement: a counter that holds something else is left as it is. Days are kept for
-- STATISTICS_AGE, which the conformance suite compares.
local function count_day(key, n)
  if try('INCRBY', key, n) == n then call('EXPIREAT', key, now + 90 * 86400) end
end
for n = 1, queues do
  local queue = all[n]
  if queue.places then rarely().remove(queue) end
  if queue.unleased then
    in_pieces('ZREM', queue.lease, queue.unleased, 1)
    in_pieces('DEL', nil, queue.deleted, 1)
  end
  if queue.processed > 0 then
    count_day(queue.processed_day, queue.processed)
    -- The day is the end of both keys.
    if queue.failed > 0 then count_day(queue.base .. 'failed' .. queue.processed_day:sub(-11), queue.failed) end
    -- Both totals begin anew where this one has reached its end, or stands beyond it.
    local is_full = type(try('INCRBY', queue.processed_total, queue.processed)) == 'table'
      and (tonumber(try('GET', queue.processed_total)) or 0) >= MAX - queue.processed
    if is_full then try('SET', queue.processed_total, queue.processed) end
    if queue.failed > 0 then try(is_full and 'SET' or 'INCRBY', queue.base .. 'failed', queue.failed) end
  end
end

local LONG_MEMBER = 'x:a member longer than 64 bytes, so that Redis keeps this set as a tree'
local answer, tells_since, is_any_passed_over = new_list(), ARGV[9] == '1', false
local long = ARGV[10] ~= '0' and tonumber(ARGV[10])

-- Leases `wanted` tasks of a queue, or as many as it has and may give.
local function take(queue, wanted)
  local prefix, lease_until, server, run = queue.prefix, ARGV[3], ARGV[4], ARGV[5]
  wanted = math.min(wanted, queue.most)
  queue.taken = queue.taken or new_list()
  local taken, before, count, passed, kept = queue.taken, #queue.taken, 0, 0, {}
  local leases, leased_to, has_long = new_list(), 0, false
  local header = #answer
  local place = header + 3
  answer[header + 1], answer[header + 2], answer[place] = 'leased', queue.number, 0
  -- A second round is needed only where IDs without a task, or tasks whose types are full, were in the way.
  for _ = 1, is_limited and 20 or 10 do
    local missing = wanted - count
    local depth = is_limited and math.max(missing, 32) or missing
    if missing < 1 or passed >= most_passed then break end
    -- From the end of the list, which Redis tells only from 6.2 on.
    local ids = try('RPOP', queue.pending, depth) or {}
    if ids.err then
      local range = call('LRANGE', queue.pending, -depth, '-1')
      call('LTRIM', queue.pending, '0', -#range - 1)
      ids = {}
      for i = #range, 1, -1 do ids[#ids + 1] = range[i] end
    end
    local found = #ids
    if found == 0 then break end
    -- A sorted set of few short members is one string, which Redis searches from its start for each of them; a member
    -- longer than 64 bytes, there for a moment, makes it a tree for as long as it has members.
    if found > 7 and not has_long then
      leases[leased_to + 1], leases[leased_to + 2] = lease_until, LONG_MEMBER
      leased_to, has_long = leased_to + 2, true
    end
    for i = 1, found do
      local id = ids[i]
      if is_limited and (count == wanted or passed == most_passed) then
        kept[#kept + 1] = id
      else
        local task = prefix .. id
        local msg, since
        -- Lua looks at each byte of what passes through it, which takes longer than all else once there are thousands.
        local length = long and try('HSTRLEN', task, 'msg')
        local is_long = type(length) == 'number' and length >= long
        -- One command, also where it is asked since when the task is pending.
        if is_long then
          -- Asked or not: where this may not be read, the caller may not read the message either.
          since = try('HGET', task, 'pending_since')
          msg = since and since.err and since
          is_long = not msg
        elseif tells_since then
          msg = try('HMGET', task, 'msg', 'pending_since')
          if not msg.err then msg, since = msg[1], msg[2] end
        else
          msg = try('HGET', task, 'msg')
        end
        local is_task = is_long or msg and not msg.err
        if is_task and is_limited and not rarely().fits(msg) then
          kept[#kept + 1], passed = id, passed + 1
        elseif is_task and call('HDEL', task, 'pending_since')
          -- An ID that is pending twice was made active by this call when none of these fields is new.
          and (call('HSET', task, 'state', 'active', 'x_own', server, 'x_run', run) > 0
            or not rarely().contains(taken, id))
        then
          count = count + 1
          taken[before + count] = id
          leases[leased_to + 1], leases[leased_to + 2] = lease_until, id
          leased_to = leased_to + 2
          answer[place + 1], answer[place + 2] = id, msg or false
          place = place + 2
          if tells_since then
            place = place + 1
            answer[place] = since
          end
        elseif rarely().is_trouble(msg) then
          kept[#kept + 1] = id
        else
          local next = #notes
          notes[next + 1], notes[next + 2], notes[next + 3] = 'dropped', queue.number, id
        end
      end
    end
    if trouble or found < depth then break end
  end
  if #kept > 0 then
    -- Back to where they were: the first that was passed over comes last, at the end that is next.
    local back = {}
    for i = #kept, 1, -1 do back[#back + 1] = kept[i] end
    in_pieces('RPUSH', queue.pending, back, 1)
  end
  if passed > 0 and not queue.is_passed_over then
    queue.is_passed_over, is_any_passed_over = true, true
    notes[#notes + 1], notes[#notes + 2] = 'passed over', queue.number
  end
  if count > 0 then
    answer[header + 3] = count
    queue.most = queue.most - count
    in_pieces('LPUSH', queue.active, taken, before + 1)
    in_pieces('ZADD', queue.lease, leases, 1)
    if has_long then call('ZREM', queue.lease, LONG_MEMBER) end
    if queue.beats == '1' then try('ZADD', queue.base .. 'x:owners', now, server) end
  end
  return count
end

if ARGV[7] == '' or open < 2 then
  for n = 1, queues do
    if slots > 0 and all[n].is_open then slots = slots - take(all[n], slots) end
  end
else
  -- Each slot draws among the queues that still have tasks, by their weights.
  local total = 0
  for _, queue in ipairs(all) do
    queue.share, queue.weight = 0, tonumber(queue.weight)
    queue.waiting = queue.is_open and math.min(call('LLEN', queue.pending), queue.most) or 0
    if queue.waiting > 0 then total = total + queue.weight end
  end
  math.randomseed(tonumber(ARGV[7]))
  while slots > 0 and total > 0 do
    local draw, chosen = math.random() * total, nil
    for _, queue in ipairs(all) do
      if queue.waiting > 0 then
        chosen = queue
        draw = draw - queue.weight
        if draw < 0 then break end
      end
    end
    chosen.share = chosen.share + 1
    chosen.waiting = chosen.waiting - 1
    if chosen.waiting == 0 then total = total - chosen.weight end
    slots = slots - 1
  end
  -- What was drawn for a queue whose tasks could not be taken goes to the others.
  local spare = slots
  for _, queue in ipairs(all) do
    if queue.share > 0 then spare = spare + queue.share - take(queue, queue.share) end
  end
  for _, queue in ipairs(all) do
    if spare > 0 and is_any_passed_over and queue.is_open and not queue.is_passed_over then
      spare = spare - take(queue, spare)
    end
  end
end
if trouble then return trouble end
for i = 1, #notes do answer[#answer + 1] = notes[i] end
return answer
