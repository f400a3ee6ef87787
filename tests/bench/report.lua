-- SPDX-License-Identifier: Apache-2.0
-- What wrk counted, as one line of JSON. Its argument is a file of tokens, one a line, of which each request
-- shows the next one, from a random one on.
local TOKENS_MAX = 50000 -- more than a run shows; the generator's own memory must not fill the cache
local LINE = 41

function init(args)
    local file = io.open(args[1])
    local n_lines = file:seek("end") / LINE
    math.randomseed(os.time() + os.clock() * 1e6)
    file:seek("set", math.random(0, math.max(0, n_lines - TOKENS_MAX)) * LINE)
    local tokens = {}
    for token in file:lines() do
        tokens[#tokens + 1] = token
        if #tokens == TOKENS_MAX then
            break
        end
    end
    wrk.headers["Authorization"] = "token @"
    local before, after = wrk.format():match("^(.*token )@(.*)\r\n$")
    local last = 0
    request = function()
        last = last + 1
        -- The number makes each request a new string, so that few tokens are as much work here as many.
        return before .. tokens[last % #tokens + 1] .. after .. "X-Number: " .. last .. "\r\n\r\n"
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "bytes": %d, "duration_us": %d, "errors": %d, "bad_status": %d}\n',
        summary.requests, summary.bytes, summary.duration,
        errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
