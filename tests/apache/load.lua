-- Counts the answers of scripts/apache-load.sh by status, over all threads of wrk, and prints the
-- counts as "name=value" lines that the script reads.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(_)
    ok, wrong, server_errors, others = 0, 0, 0, 0
    sample = ""
end

function response(status, _, body)
    if status == 200 and body == "ok\n" then
        ok = ok + 1
    elseif status >= 500 then
        server_errors = server_errors + 1
        if body:sub(1, 5) == "WRONG" then
            wrong = wrong + 1
        end
        sample = body:sub(1, 200)
    else
        others = others + 1
        sample = status .. " " .. body:sub(1, 200)
    end
end

function done(summary, latency, _)
    local sum = { ok = 0, wrong = 0, server_errors = 0, others = 0 }
    for _, thread in ipairs(threads) do
        for name in pairs(sum) do
            sum[name] = sum[name] + thread:get(name)
        end
        local text = thread:get("sample")
        if text ~= "" then
            print("sample=" .. text:gsub("%s+", " "))
        end
    end
    for name, value in pairs(sum) do
        print(name .. "=" .. value)
    end
    print("requests=" .. summary.requests)
    print(string.format("per_second=%.0f", summary.requests / (summary.duration / 1e6)))
    print(string.format("p50_ms=%.1f", latency:percentile(50) / 1000))
    print(string.format("p99_ms=%.1f", latency:percentile(99) / 1000))
    print(string.format("slowest_ms=%.1f", latency.max / 1000))
    local errors = summary.errors
    print("socket_errors=" .. (errors.connect + errors.read + errors.write))
    print("timeouts=" .. errors.timeout)
end
