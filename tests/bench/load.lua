-- What wrk sends, and how it says what became of it.
--
--   wrk ... -s load.lua URL -- PATH HEADER FILE OFFSET
--   wrk ... -s load.lua URL -- PATH HEADER body FILE
--
-- Each request carries HEADER with the next line of FILE as its value; the file is read from the
-- byte OFFSET on, and again from its start. Without FILE, HEADER is a whole line, or empty. With the
-- word body, each request is a POST of the whole FILE.

local before, after, file, fixed

function init(args)
  local path, header, name, offset = args[1], args[2], args[3], tonumber(args[4])
  local start = "GET " .. path .. " HTTP/1.1\r\nHost: n8n.example.test\r\n"
  after = "\r\n\r\n"
  if name == "body" then
    local body = assert(io.open(args[4], "rb")):read("*a")
    fixed = start:gsub("^GET", "POST") .. header .. "\r\nContent-Length: " .. #body .. after .. body
    return
  end
  if not name then
    fixed = start .. (header == "" and "\r\n" or header .. after)
    return
  end
  file = assert(io.open(name, "r"))
  before = start .. header
  local first = assert(file:read("*l"), "no line in " .. name)
  if not file:read("*l") then
    fixed = before .. first .. after
  end
  file:seek("set", offset)
end

function request()
  if fixed then return fixed end
  local line = file:read("*l")
  if not line then
    file:seek("set", 0)
    line = file:read("*l")
  end
  return before .. line .. after
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"microseconds":%d,"not_2xx":%d,"connect":%d,"read":%d,"write":%d,"late":%d,"p50":%.1f,"p99":%.1f}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect, errors.read, errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
