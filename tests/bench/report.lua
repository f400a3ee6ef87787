-- SPDX-License-Identifier: Apache-2.0
-- What wrk counted, as one line of JSON. With a file of tokens as its argument, each request has the next one.
function init(args)
    if not args[1] then
        return
    end
    local requests = {}
    for token in io.lines(args[1]) do
        wrk.headers["Authorization"] = "token " .. token
        requests[#requests + 1] = wrk.format()
    end
    local next_one = math.random(#requests)
    request = function()
        next_one = next_one % #requests + 1
        return requests[next_one]
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "bytes": %d, "duration_us": %d, "errors": %d, "bad_status": %d}\n',
        summary.requests, summary.bytes, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
