-- Counts the answers of the deep loads by what they say, over all threads of wrk, and prints the
-- counts as "name=value" lines that the script reads.
--
-- An answer is one of: ok; restarted (the server was another one in the middle of it); ERROR (an
-- exception of the extension); WRONG; LOST; one of a script that died as it was meant to, by the
-- header X-Dies; anything else.

local threads = {}
local plain = { "ok", "restarted", "errors", "wrong", "lost", "other", "requests_died" }

function setup(thread)
    table.insert(threads, thread)
end

function init(_)
    ok, restarted, errors, wrong, lost, other, requests_died = 0, 0, 0, 0, 0, 0, 0
    dies = {}
    sample = ""
    slowest_call, slowest_name = 0, ""
end

local function starts(body, word)
    return body:sub(1, #word) == word
end

function response(status, headers, body)
    local way = headers["X-Dies"]
    local ms, name = (headers["X-Slowest-Call"] or ""):match("^([%d.]+) (%a+)")
    ms = tonumber(ms)
    if ms and ms > slowest_call then
        slowest_call, slowest_name = ms, name
    end
    if starts(body, "WRONG") then
        wrong = wrong + 1
        sample = body:sub(1, 200)
    elseif starts(body, "LOST") then
        lost = lost + 1
        sample = body:sub(1, 200)
    elseif status == 503 and starts(body, "ERROR") then
        errors = errors + 1
    elseif status == 200 and body == "restarted\n" then
        restarted = restarted + 1
    elseif way and (status == 500 or starts(way, "exit")) and body == "" then
        requests_died = requests_died + 1
        dies[way] = (dies[way] or 0) + 1
    elseif status == 200 and body == "ok\n" then
        ok = ok + 1
    else
        other = other + 1
        sample = status .. " " .. (way or "-") .. " " .. body:sub(1, 200)
    end
end

function done(summary, latency, _)
    local sum, ways = {}, {}
    local slowest, name = 0, "-"
    for _, thread in ipairs(threads) do
        for _, count in ipairs(plain) do
            sum[count] = (sum[count] or 0) + thread:get(count)
        end
        for way, count in pairs(thread:get("dies")) do
            ways[way] = (ways[way] or 0) + count
        end
        if thread:get("slowest_call") > slowest then
            slowest, name = thread:get("slowest_call"), thread:get("slowest_name")
        end
        local text = thread:get("sample")
        if text ~= "" then
            print("sample=" .. text:gsub("%s+", " "))
        end
    end
    for count, value in pairs(sum) do
        print(count .. "=" .. value)
    end
    local list = {}
    for way, count in pairs(ways) do
        table.insert(list, way .. " " .. count)
    end
    table.sort(list)
    print("died=" .. table.concat(list, ", "))
    print(string.format("slowest_call_ms=%.1f", slowest))
    print("slowest_call=" .. name)
    print("requests=" .. summary.requests)
    print(string.format("per_second=%.0f", summary.requests / (summary.duration / 1e6)))
    print(string.format("p50_ms=%.1f", latency:percentile(50) / 1000))
    print(string.format("p99_ms=%.1f", latency:percentile(99) / 1000))
    print(string.format("slowest_ms=%.1f", latency.max / 1000))
    local failed = summary.errors
    print("socket_errors=" .. (failed.connect + failed.read + failed.write))
    print("timeouts=" .. failed.timeout)
end
