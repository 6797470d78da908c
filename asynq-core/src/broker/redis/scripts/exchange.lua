-- exchange: settle runs that have ended, then lease pending tasks, for any number of queues in one call.
-- Compat: the effects are those of Go's done, markAsComplete, retry, archive, requeue and dequeue scripts, with
--   every precondition checked before the first write. On a cluster each call names one queue only.
-- KEYS[1..] for each queue: pending, active, lease, paused, processed:<day>, processed, x:waits; those that are seldom
--   needed are named here, as the keys of tasks are
-- ARGV[1] number of queues   ARGV[2] now, unix seconds   ARGV[3] now, unix nanoseconds
-- ARGV[4] when the daily counters expire, unix seconds   ARGV[5] end of new leases, unix seconds
-- ARGV[6] server id   ARGV[7] token of the new runs   ARGV[8] free slots   ARGV[9] 1 strict, 0 weighted
-- ARGV[10] seed of the draw   ARGV[11] archive cutoff, unix seconds   ARGV[12] how many stay in an archive
-- ARGV[13] number of types of which only so many may be taken   ARGV[14] how many tasks may be passed over
-- ARGV[15] channel on which the end of a run that somebody waits for is published
-- ARGV[16] 1 to tell since when leased tasks were pending
-- ARGV[17..] for each queue: key prefix, weight (0: only settle), how many may be taken, 1 if the server beats with it;
--   then for each such type: its name, how many; then for each group of settlements that have these in common: queue number, kind, run token (empty: none),
--   latest end of the lease, how many; then for each of the group: id, and by its kind
--     d done: nothing   u done: lock key   v revoked: lock key (empty: none)
--     c complete: lock key (empty: none), message, kept until, 1 or 0, result
--     r retry: message, due, 1 if a failure   a archive: 1 or 0, message, lock to release (empty: none)
--     m put back, its type is unknown: message, due, given up after so many times
--     q requeue: 1 if its worker died
-- Returns {leased: queue number, how many, then for each id, message, pending since (if asked for), ...} and, where
--   there is any of them, four more: refused: which settlements were not applied, from 1; dropped (no task, or pending
--   twice): queue number, id, ...; paused: queue numbers; passed over (tasks were left because of their type): queue
--   numbers. Or an error, after which the caller knows neither what was settled nor what was leased, as after an
--   answer that was lost.
-- Cost: a call does much more than Redis' own work for few tasks, and for each task Lua takes as long as Redis. So it
--   makes few tables, in the answer too, and few functions; a list that grows has room for eight from the start; and
--   what is done for each task calls no function that mostly does nothing.
local call, try, unpack, KEYS, ARGV = redis.call, redis.pcall, unpack, KEYS, ARGV
local queues, now, nanos = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local MAX = 9223372036854775807
-- A sorted set of few short members is one string, which Redis searches from its start for each of them; a member
-- longer than 64 bytes, there for a moment, makes it a tree for as long as it has members.
local LONG_MEMBER = 'x:a member longer than 64 bytes, so that Redis keeps this set as a tree'

-- The first answer that is an error but does not say that a key holds something else: whoever is not allowed to look
-- does not know that a task is missing. It ends no loop, so that nothing is left half-done, and is the answer to the call.
local trouble
local function is_trouble(answer)
  if type(answer) ~= 'table' or answer.err:sub(1, 9) == 'WRONGTYPE' then return false end
  trouble = trouble or answer
  return true
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

local all = {}
for n = 1, queues do
  local k, base = (n - 1) * 7, ARGV[13 + 4 * n]
  -- One call tells two things, since a key that is named twice counts twice.
  local found = call('EXISTS', KEYS[k + 4], KEYS[k + 4], KEYS[k + 7])
  all[n] = {
    pending = KEYS[k + 1], active = KEYS[k + 2], lease = KEYS[k + 3], processed_day = KEYS[k + 5],
    processed_total = KEYS[k + 6], waits = KEYS[k + 7], base = base, prefix = base .. 't:', number = n,
    is_served = ARGV[14 + 4 * n] ~= '0', weight = ARGV[14 + 4 * n], most = tonumber(ARGV[15 + 4 * n]),
    beats = ARGV[16 + 4 * n] == '1', is_paused = found > 1, is_waited_in = found % 2 == 1, processed = 0, failed = 0,
    -- Lists, where there is something in them.
    unleased = false, deleted = false, taken = false,
  }
end

-- The ends of leases that are later than `latest`, of `count` settlements whose IDs stand from `first` on, `width` apart:
-- nothing for the others. Mostly there are none, which one look at the whole set tells; else by one command where the
-- server has it and Lua can unpack them.
local function later_ends(key, latest, first, count, width)
  if try('ZCOUNT', key, '(' .. latest, '+inf') == 0 then return nil end
  local ids = {}
  for i = 1, count do ids[i] = ARGV[first + (i - 1) * width] end
  local ends = count <= 4000 and try('ZMSCORE', key, unpack(ids)) or { err = '' }
  for i, id in ipairs(ids) do
    local held_until = ends[i]
    if ends.err then held_until = call('ZSCORE', key, id) end
    ends[i] = held_until and tonumber(held_until) > tonumber(latest) and held_until
  end
  return ends
end

-- From where to take an ID off the list of active ones. What runs longest stands at its end, and mostly ends first; but
-- where thousands run, those that were taken just now are looked for at the front (Redis 6.0.6) before the list is searched.
local function from_where(active, id)
  return type(try('LPOS', active, id, 'MAXLEN', '128')) == 'number' and '1' or '-1'
end

local function release(lock, id)
  if lock ~= '' and try('GET', lock) == id then call('DEL', lock) end
end

-- Wakes those who wait for a task, if somebody does. What is not kept leaves word that it has succeeded.
local function tell(queue, kind, id)
  if try('ZREM', queue.waits, id) ~= 1 then return end
  if kind == 'd' or kind == 'u' then try('SET', queue.waits .. ':' .. id, '', 'EX', 60) end
  try('PUBLISH', ARGV[15], queue.prefix .. id)
end

-- What the kinds that keep the task need, made where there is one.
local function keeper()
  local function trim(queue, ids)
    for _, id in ipairs(ids) do
      call('DEL', queue.prefix .. id)
      call('ZREM', queue.base .. 'archived', id)
    end
    if #ids > 0 then try('INCRBY', queue.base .. 'x:trimmed', #ids) end
  end

  local function archive(queue, id)
    local archived = queue.base .. 'archived'
    call('ZADD', archived, now, id)
    trim(queue, call('ZRANGEBYSCORE', archived, '-inf', ARGV[11], 'LIMIT', 0, 1000))
    local excess = call('ZCARD', archived) - tonumber(ARGV[12])
    if excess > 0 then trim(queue, call('ZRANGE', archived, 0, math.min(excess, 1000) - 1)) end
  end

  -- What each of them writes; its arguments begin at `at`.
  return function(kind, queue, id, task, at)
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
      archive(queue, id)
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
        archive(queue, id)
        queue.processed, queue.failed = queue.processed + 1, queue.failed + 1
      end
    elseif kind == 'q' then
      call('RPUSH', queue.pending, id)
      call('HSET', task, 'state', 'pending', 'pending_since', nanos)
      -- An error here would leave the batch half-settled: what is no number counts as none.
      if ARGV[at] == '1' and type(try('HINCRBY', task, 'x_crash', '1')) == 'table' then
        call('HSET', task, 'x_crash', '1')
      end
    end
  end
end

local refused = {}
local number, at = 0, 17 + 4 * queues
local left_of_type, is_limited = {}, false
for _ = 1, tonumber(ARGV[13]) do
  left_of_type[ARGV[at]], is_limited, at = tonumber(ARGV[at + 1]), true, at + 2
end
local keep
while at <= #ARGV do
  local queue, kind, run, latest = all[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local count, first = tonumber(ARGV[at + 4]), at + 5
  local is_deleted = kind == 'd' or kind == 'u' or kind == 'v'
  -- How many arguments each has.
  local width = kind == 'd' and 1 or (is_deleted or kind == 'q') and 2 or kind == 'c' and 6 or 4
  if not is_deleted then keep = keep or keeper() end
  queue.unleased, queue.deleted = queue.unleased or new_list(), queue.deleted or new_list()
  local prefix, active, unleased, deleted = queue.prefix, queue.active, queue.unleased, queue.deleted
  local deleted_before, is_waited_in = #deleted, queue.is_waited_in
  if queue.is_long == nil then queue.is_long = call('LLEN', active) > 512 end
  local is_long = queue.is_long
  local later = later_ends(queue.lease, latest, first, count, width)
  for i = 1, count do
    local place = first + (i - 1) * width
    local id = ARGV[place]
    local task = prefix .. id
    local holder = try('HGET', task, 'x_run') or ''
    if holder == run and not (later and later[i]) and (run ~= '' or call('EXISTS', task) == 1)
      and call('LREM', active, is_long and from_where(active, id) or '-1', id) == 1
    then
      unleased[#unleased + 1] = id
      if is_deleted then
        deleted[#deleted + 1] = task
        if kind ~= 'd' then release(ARGV[place + 1], id) end
      else
        keep(kind, queue, id, task, place + 1)
        call('HDEL', task, 'x_own', 'x_run')
      end
      if is_waited_in then tell(queue, kind, id) end
    else
      is_trouble(holder)
      refused[#refused + 1] = number + i
    end
  end
  queue.processed = queue.processed + #deleted - deleted_before
  number, at = number + count, first + count * width
end

-- Counting never undoes a settlement: a counter that holds something else is left as it is.
local function count_day(key, n)
  if try('INCRBY', key, n) == n then call('EXPIREAT', key, ARGV[4]) end
end
for _, queue in ipairs(all) do
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

local leased, dropped, paused, passed_over = new_list(), {}, {}, {}

-- Whether one more of a task's type may be taken; if so it is counted.
local function fits(msg)
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
end

local function contains(list, id)
  for _, other in ipairs(list) do
    if other == id then return true end
  end
  return false
end

local tells_since = ARGV[16] == '1'
local function take(queue, wanted)
  local prefix, lease_until, server, run = queue.prefix, ARGV[5], ARGV[6], ARGV[7]
  queue.taken = queue.taken or new_list()
  local taken, before, count = queue.taken, #queue.taken, 0
  local leases, kept = new_list(), {}
  local passed, most_passed, header = 0, is_limited and tonumber(ARGV[14]) or 1, #leased
  local place = header + 2
  leased[header + 1], leased[place] = queue.number, 0
  -- A second round is needed only where IDs without a task, or tasks whose types are full, were in the way.
  for _ = 1, is_limited and 20 or 10 do
    local missing = wanted - count
    local depth = is_limited and math.max(missing, 32) or missing
    local ids = missing > 0 and passed < most_passed and call('LRANGE', queue.pending, -depth, '-1') or {}
    if #ids == 0 then break end
    call('LTRIM', queue.pending, '0', -#ids - 1)
    for i = #ids, 1, -1 do
      local id = ids[i]
      if is_limited and (count == wanted or passed == most_passed) then
        kept[#kept + 1] = id
      else
        local task = prefix .. id
        local msg, since
        -- One command, also where it is asked since when the task is pending.
        if tells_since then
          msg = try('HMGET', task, 'msg', 'pending_since')
          if not msg.err then msg, since = msg[1], msg[2] end
        else
          msg = try('HGET', task, 'msg')
        end
        local is_task = type(msg) == 'string'
        if is_task and is_limited and not fits(msg) then
          kept[#kept + 1], passed = id, passed + 1
        -- An ID that is pending twice was made active by this call when none of these fields is new.
        elseif is_task
          and (call('HSET', task, 'state', 'active', 'x_own', server, 'x_run', run) > 0 or not contains(taken, id))
        then
          call('HDEL', task, 'pending_since')
          count = count + 1
          taken[before + count] = id
          leases[2 * count - 1], leases[2 * count] = lease_until, id
          leased[place + 1], leased[place + 2] = id, msg
          place = place + 2
          if tells_since then
            place = place + 1
            leased[place] = since
          end
        elseif is_trouble(msg) then
          kept[#kept + 1] = id
        else
          dropped[#dropped + 1] = queue.number
          dropped[#dropped + 1] = id
        end
      end
    end
    if trouble or #ids < depth then break end
  end
  if #kept > 0 then
    -- Back to where they were: the first that was passed over comes last, at the end that is next.
    local back = {}
    for i = #kept, 1, -1 do back[#back + 1] = kept[i] end
    in_pieces('RPUSH', queue.pending, back, 1)
  end
  if passed > 0 and not queue.is_passed_over then
    queue.is_passed_over = true
    passed_over[#passed_over + 1] = queue.number
  end
  if count > 0 then
    leased[header + 2] = count
    queue.most = queue.most - count
    in_pieces('LPUSH', queue.active, taken, before + 1)
    if count > 7 then call('ZADD', queue.lease, lease_until, LONG_MEMBER) end
    in_pieces('ZADD', queue.lease, leases, 1)
    if count > 7 then call('ZREM', queue.lease, LONG_MEMBER) end
    if queue.beats then try('ZADD', queue.base .. 'x:owners', now, server) end
  end
  return count
end

local slots = tonumber(ARGV[8])
local open = {}
if slots > 0 then
  for _, queue in ipairs(all) do
    if queue.is_served then
      if queue.is_paused then
        paused[#paused + 1] = queue.number
      else
        open[#open + 1] = queue
      end
    end
  end
end
if ARGV[9] == '1' or #open < 2 then
  for _, queue in ipairs(open) do
    if slots > 0 then slots = slots - take(queue, math.min(slots, queue.most)) end
  end
else
  -- Each slot draws among the queues that still have tasks, by their weights.
  local total = 0
  for _, queue in ipairs(open) do
    queue.waiting, queue.share = math.min(call('LLEN', queue.pending), queue.most), 0
    queue.weight = tonumber(queue.weight)
    if queue.waiting > 0 then total = total + queue.weight end
  end
  math.randomseed(tonumber(ARGV[10]))
  while slots > 0 and total > 0 do
    local draw, chosen = math.random() * total, nil
    for _, queue in ipairs(open) do
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
  for _, queue in ipairs(open) do
    if queue.share > 0 then spare = spare + queue.share - take(queue, queue.share) end
  end
  for _, queue in ipairs(open) do
    if spare > 0 and #passed_over > 0 and not queue.is_passed_over then
      spare = spare - take(queue, math.min(spare, queue.most))
    end
  end
end
if trouble then return trouble end
if #refused + #dropped + #paused + #passed_over == 0 then return { leased } end
return { leased, refused, dropped, paused, passed_over }
