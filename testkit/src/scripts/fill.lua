-- Stores pending tasks, or one task in each of as many groups. KEYS: pending or groups, queues. ARGV: queue, number of the
-- first, how many, what comes before and behind the ID in the message.
local prefix = 'asynq:{' .. ARGV[1] .. '}:'
local is_pending = string.sub(KEYS[1], -8) == ':pending'
redis.call('SADD', KEYS[2], ARGV[1])
for n = tonumber(ARGV[2]), tonumber(ARGV[2]) + tonumber(ARGV[3]) - 1 do
  local id = string.format('t%08d', n)
  local message, state = ARGV[4] .. id .. ARGV[5], is_pending and 'pending' or 'aggregating'
  redis.call('HSET', prefix .. 't:' .. id, 'msg', message, 'state', state)
  if is_pending then
    redis.call('LPUSH', KEYS[1], id)
  else
    redis.call('HSET', prefix .. 't:' .. id, 'group', 'group-' .. id)
    redis.call('SADD', KEYS[1], 'group-' .. id)
    redis.call('ZADD', prefix .. 'g:group-' .. id, n, id)
  end
end
