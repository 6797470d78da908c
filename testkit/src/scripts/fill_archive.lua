-- Stores archived tasks. KEYS: archived, queues. ARGV: queue, number of the first, how many, archived at,
-- what comes before and behind the ID in the message.
redis.call('SADD', KEYS[2], ARGV[1])
for n = tonumber(ARGV[2]), tonumber(ARGV[2]) + tonumber(ARGV[3]) - 1 do
  local id = string.format('t%08d', n)
  redis.call('HSET', 'asynq:{' .. ARGV[1] .. '}:t:' .. id, 'msg', ARGV[5] .. id .. ARGV[6], 'state', 'archived')
  redis.call('ZADD', KEYS[1], ARGV[4], id)
end
