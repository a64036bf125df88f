-- Sends the bodies of a file (one a line) in turn, and prints what was measured as one line of JSON.
local requests = {}
local next_request = 0

function init(arguments)
  wrk.headers["Content-Type"] = "application/json" -- besides the headers of the command line
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, nil, body)
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answered": %d, "microseconds": %d, "p50": %.1f, "p99": %.1f, "max": %.1f, "errors": %d}\n',
    summary.requests - errors.status, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
