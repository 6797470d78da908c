-- standing: what other scripts begin with, to find out where an ID stands and what is stored under it.
-- Begins with score.lua, which looks into sorted sets.
-- Whatever a key holds, it is only looked at: one of another kind than it should be holds no ID.
-- The list of pending tasks may be long. It is searched in blocks: those at both ends, where tasks come and go, and
-- those around the places where whoever asks has met the ID.
-- Returns nothing: these are functions.
local BLOCK = 1000

-- How often IDs stand in the blocks of the pending list that were read; a list is read once for all that are asked for.
local times, blocks_read, length_of = {}, {}, nil
local function read_block(list, number)
  if number < 0 or blocks_read[number] then return end
  blocks_read[number] = true
  for _, id in ipairs(redis.call('LRANGE', list, number * BLOCK, (number + 1) * BLOCK - 1)) do
    times[id] = (times[id] or 0) + 1
  end
end

-- How often an ID stands near the ends of the pending list, and near these places, which are separated by commas.
local function times_pending(list, id, near)
  length_of = length_of or redis.pcall('LLEN', list)
  if type(length_of) ~= 'number' then return 0 end
  local last = math.floor(length_of / BLOCK)
  for _, number in ipairs({ 0, last - 1, last }) do read_block(list, number) end
  for at in string.gmatch(near, '%d+') do
    local number = math.floor(tonumber(at) / BLOCK)
    for around = number - 1, number + 1 do read_block(list, around) end
  end
  return times[id] or 0
end

-- The active tasks, read once; of more than there should ever be, Redis is asked for each (by LPOS, since 6.0.6).
local LONGEST = 20000
local active
local function is_active(list, id)
  if active == nil then
    local length = redis.pcall('LLEN', list)
    active = type(length) == 'number' and length > LONGEST and list or {}
    if active ~= list and type(length) == 'number' then
      for _, other in ipairs(redis.call('LRANGE', list, 0, -1)) do active[other] = true end
    end
  end
  if active == list then return type(redis.pcall('LPOS', list, id)) == 'number' end
  return active[id]
end

-- The aggregation sets that are known, but for all beyond a thousand.
local sets_read
local function known_sets(prefix)
  if not sets_read then
    sets_read = redis.pcall('ZRANGE', prefix .. 'aggregation_sets', 0, 999)
    if sets_read.err then sets_read = {} end
  end
  return sets_read
end

-- Places are active, scheduled, retry, archived, completed; g:<group>; s:<group>:<set id>.
local function places_of(prefix, id, group, seen)
  local places = {}
  local function add(place, key)
    local score = score_in(key, id)
    if score then
      places[#places + 1] = place
      places[#places + 1] = score
    end
  end
  if is_active(prefix .. 'active', id) then places = { 'active', '0' } end
  for _, state in ipairs({ 'scheduled', 'retry', 'archived', 'completed' }) do add(state, prefix .. state) end
  local seen_kind, seen_name = string.match(seen, '^([gs]):(.*)$')
  if group ~= '' then add('g:' .. group, prefix .. 'g:' .. group) end
  if seen_kind and not (seen_kind == 'g' and seen_name == group) then add(seen, prefix .. 'g:' .. seen_name) end
  if group == '' or #places > 0 then return places end
  local of_group = prefix .. 'g:' .. group .. ':'
  for _, set in ipairs(known_sets(prefix)) do
    if string.sub(set, 1, #of_group) == of_group then add('s:' .. string.sub(set, #prefix + 3), set) end
  end
  return places
end

-- {kind, message, state, group, end of lease or empty, times in the pending list or -1, {place, score, ...},
--   {own field, value, ...}, since when it is pending, version or empty}. The version differs when anything else does.
local function standing_of(prefix, id, seen, near, search)
  local task = prefix .. 't:' .. id
  local kind = redis.call('TYPE', task).ok
  local own_names = { 'x_own', 'x_run', 'x_group' }
  local fields = kind == 'hash' and redis.call('HMGET', task, 'msg', 'state', 'group', 'pending_since', unpack(own_names))
    or {}
  local state, group, since = fields[2] or '', fields[3] or '', fields[4] or ''
  local own = {}
  for at, name in ipairs(own_names) do
    if fields[4 + at] then
      own[#own + 1] = name
      own[#own + 1] = fields[4 + at]
    end
  end
  local places, lease = places_of(prefix, id, group, seen), score_in(prefix .. 'lease', id) or ''
  local pending = search and times_pending(prefix .. 'pending', id, near) or -1
  local version = ''
  if search then
    local parts = { kind, fields[1] or '', state, group, lease, pending, since }
    local told = { table.concat(parts, '\0'), table.concat(places, '\0'), table.concat(own, '\0') }
    version = redis.sha1hex(table.concat(told, '\0\0'))
  end
  return { kind, fields[1] or false, state, group, lease, pending, places, own, since, version }
end
