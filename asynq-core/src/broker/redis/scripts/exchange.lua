-- exchange: settle runs that have ended, then lease pending tasks, for any number of queues in one call.
-- Compat: the effects are those of Go's done, markAsComplete, retry, archive, requeue and dequeue scripts, with
--   every precondition checked before the first write. On a cluster each call names one queue only.
-- KEYS[1..] for each queue: pending, active, lease, paused, retry, archived, completed, processed:<day>,
--   failed:<day>, processed, failed, x:waits, x:owners
-- ARGV[1] number of queues   ARGV[2] now, unix seconds   ARGV[3] now, unix nanoseconds
-- ARGV[4] when the daily counters expire, unix seconds   ARGV[5] end of new leases, unix seconds
-- ARGV[6] server id   ARGV[7] token of the new runs   ARGV[8] free slots   ARGV[9] 1 strict, 0 weighted
-- ARGV[10] seed of the draw   ARGV[11] archive cutoff, unix seconds   ARGV[12] how many stay in an archive
-- ARGV[13] number of types of which only so many may be taken   ARGV[14] how many tasks may be passed over
-- ARGV[15] channel on which the end of a run that somebody waits for is published
-- ARGV[16] 1 to tell since when leased tasks were pending
-- ARGV[17..] for each queue: task key prefix, weight (0: only settle), how many may be taken, 1 if the server beats
--     with it;
--   then for each such type: its name, how many; then for each group of settlements that have these in common: queue number, kind, run token (empty: none),
--   latest end of the lease, how many; then for each of the group: id, and by its kind
--     d done: nothing   u done: lock key   v revoked: lock key (empty: none)
--     c complete: lock key (empty: none), message, kept until, 1 or 0, result
--     r retry: message, due, 1 if a failure   a archive: 1 or 0, message, lock to release (empty: none)
--     m put back, its type is unknown: message, due, given up after so many times
--     q requeue: 1 if its worker died
-- Returns {settled: for each 1 applied or 0 refused, as one text; leased: queue number, how many, then for each id,
--   message, pending since (if asked for), ...} and, where there is any of them, three more: dropped (no task, or
--   pending twice): queue number, id, ...; paused: queue numbers; passed over (tasks were left because of their type):
--   queue numbers. Or an error, after which the caller knows neither what was settled nor what was leased, as after an
--   answer that was lost. A table in an answer costs Redis as much as a small command: hence so few.
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

-- Lists are handed to Redis in pieces: Lua cannot unpack thousands of values.
local function in_pieces(list, run)
  for first = 1, #list, 500 do run(unpack(list, first, math.min(first + 499, #list))) end
end

local all = {}
for n = 1, queues do
  local k = (n - 1) * 13
  all[n] = {
    pending = KEYS[k + 1], active = KEYS[k + 2], lease = KEYS[k + 3], retry = KEYS[k + 5],
    archived = KEYS[k + 6], completed = KEYS[k + 7], processed_day = KEYS[k + 8], failed_day = KEYS[k + 9],
    processed_total = KEYS[k + 10], failed_total = KEYS[k + 11], waits = KEYS[k + 12], owners = KEYS[k + 13],
    prefix = ARGV[13 + 4 * n], weight = tonumber(ARGV[14 + 4 * n]), most = tonumber(ARGV[15 + 4 * n]),
    beats = ARGV[16 + 4 * n] == '1', number = n,
    unleased = {}, deleted = {}, seen = {}, processed = 0, failed = 0,
  }
  -- One call tells two things, since a key that is named twice counts twice.
  local found = call('EXISTS', KEYS[k + 4], KEYS[k + 4], KEYS[k + 12])
  all[n].is_paused, all[n].is_waited_in = found > 1, found % 2 == 1
end

-- The ends of the leases of `ids` that are later than `latest`: nothing for the others. Mostly there are none, which
-- one look at the whole set tells; else by one command where the server has it and Lua can unpack them.
local function later_ends(key, latest, ids)
  if try('ZCOUNT', key, '(' .. latest, '+inf') == 0 then return {} end
  local ends = #ids <= 4000 and try('ZMSCORE', key, unpack(ids)) or { err = '' }
  for i, id in ipairs(ids) do
    local held_until = ends[i]
    if ends.err then held_until = call('ZSCORE', key, id) end
    ends[i] = held_until and tonumber(held_until) > tonumber(latest) and held_until
  end
  return ends
end

-- Takes an ID off the list of active ones. What runs longest stands at its end, and mostly ends first; but where
-- thousands run, those that were taken just now are looked for at the front (Redis 6.0.6) before the list is searched.
local function take_off(queue, id)
  if queue.is_long == nil then queue.is_long = call('LLEN', queue.active) > 512 end
  local is_recent = queue.is_long and type(try('LPOS', queue.active, id, 'MAXLEN', '128')) == 'number'
  return call('LREM', queue.active, is_recent and '1' or '-1', id) == 1
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

local function trim(queue, ids)
  for _, id in ipairs(ids) do
    call('DEL', queue.prefix .. id)
    call('ZREM', queue.archived, id)
  end
  -- Beside the key of those who wait; named here, since it is seldom needed.
  if #ids > 0 then try('INCRBY', queue.waits:gsub('waits$', 'trimmed'), #ids) end
end

local function archive(queue, id)
  call('ZADD', queue.archived, now, id)
  trim(queue, call('ZRANGEBYSCORE', queue.archived, '-inf', ARGV[11], 'LIMIT', 0, 1000))
  local excess = call('ZCARD', queue.archived) - tonumber(ARGV[12])
  if excess > 0 then trim(queue, call('ZRANGE', queue.archived, 0, math.min(excess, 1000) - 1)) end
end

-- What each kind that keeps the task writes; its arguments begin at `at`.
local function keep(kind, queue, id, task, at)
  if kind == 'c' then
    call('ZADD', queue.completed, ARGV[at + 2], id)
    call('HSET', task, 'msg', ARGV[at + 1], 'state', 'completed')
    if ARGV[at + 3] == '1' then call('HSET', task, 'result', ARGV[at + 4]) end
    release(ARGV[at], id)
    queue.processed = queue.processed + 1
  elseif kind == 'r' then
    call('ZADD', queue.retry, ARGV[at + 1], id)
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
      call('ZADD', queue.retry, ARGV[at + 1], id)
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
local widths = { d = 1, u = 2, v = 2, c = 6, r = 4, a = 4, m = 4, q = 2 }
local KEPT = { c = true, r = true, a = true, m = true, q = true }

local settled = {}
local at = 17 + 4 * queues
local left_of_type, is_limited = {}, false
for _ = 1, tonumber(ARGV[13]) do
  left_of_type[ARGV[at]], is_limited, at = tonumber(ARGV[at + 1]), true, at + 2
end
while at <= #ARGV do
  local queue, kind, run, latest = all[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local count, width, is_kept = tonumber(ARGV[at + 4]), widths[kind], KEPT[kind]
  local prefix, unleased, deleted = queue.prefix, queue.unleased, queue.deleted
  local first, ids = at + 5, {}
  for i = 1, count do ids[i] = ARGV[first + (i - 1) * width] end
  local later = later_ends(queue.lease, latest, ids)
  for i = 1, count do
    local id, details = ids[i], first + (i - 1) * width + 1
    local task = prefix .. id
    local holder = try('HGET', task, 'x_run') or ''
    if holder == run and not later[i] and (run ~= '' or call('EXISTS', task) == 1) and take_off(queue, id) then
      settled[#settled + 1] = '1'
      unleased[#unleased + 1] = id
      if is_kept then
        keep(kind, queue, id, task, details)
        call('HDEL', task, 'x_own', 'x_run')
      else
        deleted[#deleted + 1] = task
        if kind ~= 'd' then release(ARGV[details], id) end
        queue.processed = queue.processed + 1
      end
      if queue.is_waited_in then tell(queue, kind, id) end
    else
      is_trouble(holder)
      settled[#settled + 1] = '0'
    end
  end
  at = first + count * width
end

-- Counting never undoes a settlement: a counter that holds something else is left as it is.
local function count_day(key, n)
  if n > 0 and try('INCRBY', key, n) == n then call('EXPIREAT', key, ARGV[4]) end
end
for _, queue in ipairs(all) do
  in_pieces(queue.unleased, function(...) call('ZREM', queue.lease, ...) end)
  in_pieces(queue.deleted, function(...) call('DEL', ...) end)
  if queue.processed > 0 then
    count_day(queue.processed_day, queue.processed)
    count_day(queue.failed_day, queue.failed)
    -- Both totals begin anew where this one has reached its end, or stands beyond it.
    local is_full = type(try('INCRBY', queue.processed_total, queue.processed)) == 'table'
      and (tonumber(try('GET', queue.processed_total)) or 0) >= MAX - queue.processed
    if is_full then try('SET', queue.processed_total, queue.processed) end
    if queue.failed > 0 then try(is_full and 'SET' or 'INCRBY', queue.failed_total, queue.failed) end
  end
end

local leased, dropped, paused, passed_over = {}, {}, {}, {}

-- The type in a message: its field 1, which every writer puts first, behind its length. None where it is not.
local function type_of(msg)
  if msg:byte(1) ~= 10 then return nil end
  local length, unit = 0, 1
  for i = 2, math.min(11, #msg) do
    local byte = msg:byte(i)
    length, unit = length + (byte % 128) * unit, unit * 128
    if byte < 128 then return msg:sub(i + 1, i + length) end
  end
end

-- Whether one more of a task's type may be taken; if so it is counted.
local function fits(msg)
  local name = type_of(msg)
  local left = name and left_of_type[name]
  if not left then return true end
  left_of_type[name] = math.max(left - 1, 0)
  return left > 0
end

-- The message of a task and, where that is asked for, since when it is pending: one command either way.
local tells_since = ARGV[16] == '1'
local function look(task)
  if not tells_since then return try('HGET', task, 'msg') end
  local found = try('HMGET', task, 'msg', 'pending_since')
  if found.err then return found end
  return found[1], found[2]
end

local function take(queue, wanted)
  local prefix, lease_until, server, run = queue.prefix, ARGV[5], ARGV[6], ARGV[7]
  local active, leases, kept, seen = {}, {}, {}, queue.seen
  local passed, most_passed, header = 0, tonumber(ARGV[14]), #leased
  -- A second round is needed only where IDs without a task, or tasks whose types are full, were in the way.
  for _ = 1, is_limited and 20 or 10 do
    local missing = wanted - #active
    local depth = is_limited and math.max(missing, 32) or missing
    local ids = missing > 0 and passed < most_passed and call('LRANGE', queue.pending, -depth, '-1') or {}
    if #ids == 0 then break end
    call('LTRIM', queue.pending, '0', -#ids - 1)
    for i = #ids, 1, -1 do
      local id = ids[i]
      local task = prefix .. id
      local is_over = is_limited and (#active == wanted or passed == most_passed)
      local msg, since
      if not is_over and not seen[id] then msg, since = look(task) end
      if is_over then
        kept[#kept + 1] = id
      elseif type(msg) == 'string' and is_limited and not fits(msg) then
        kept[#kept + 1], passed = id, passed + 1
      elseif type(msg) == 'string' then
        seen[id] = true
        call('HSET', task, 'state', 'active', 'x_own', server, 'x_run', run)
        call('HDEL', task, 'pending_since')
        local n = #active + 1
        active[n] = id
        leases[2 * n - 1], leases[2 * n] = lease_until, id
        if n == 1 then leased[header + 1] = queue.number end
        leased[header + 2] = n
        local place = #leased
        leased[place + 1], leased[place + 2] = id, msg
        if tells_since then leased[place + 3] = since end
      elseif is_trouble(msg) then
        kept[#kept + 1] = id
      else
        dropped[#dropped + 1] = queue.number
        dropped[#dropped + 1] = id
      end
    end
    if trouble or #ids < depth then break end
  end
  if #kept > 0 then
    -- Back to where they were: the first that was passed over comes last, at the end that is next.
    local back = {}
    for i = #kept, 1, -1 do back[#back + 1] = kept[i] end
    in_pieces(back, function(...) call('RPUSH', queue.pending, ...) end)
  end
  if passed > 0 and not queue.is_passed_over then
    queue.is_passed_over = true
    passed_over[#passed_over + 1] = queue.number
  end
  queue.most = queue.most - #active
  if #active > 0 then
    in_pieces(active, function(...) call('LPUSH', queue.active, ...) end)
    local is_many = #active > 7
    if is_many then call('ZADD', queue.lease, lease_until, LONG_MEMBER) end
    in_pieces(leases, function(...) call('ZADD', queue.lease, ...) end)
    if is_many then call('ZREM', queue.lease, LONG_MEMBER) end
    if queue.beats then try('ZADD', queue.owners, now, server) end
  end
  return #active
end

local slots = tonumber(ARGV[8])
local open = {}
if slots > 0 then
  for _, queue in ipairs(all) do
    if queue.weight > 0 then
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
local answer = { table.concat(settled), leased }
if #dropped + #paused + #passed_over > 0 then
  answer[3], answer[4], answer[5] = dropped, paused, passed_over
end
return answer
