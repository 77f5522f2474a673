-- SPDX-License-Identifier: MIT
-- Contexts of one's own, just as they are, in the event loops that Debian has for Lua.
local libspf = require "libspf"
local test = require "harness"
local cqueues = require "cqueues"
local socket = require "socket"
local uv = require "luv"

local SLOW, SILENT = os.getenv "LIBSPF_SLOW", os.getenv "LIBSPF_SILENT"
local OPTIONS = {ip = "192.0.2.7", sender = "a@example.com", helo = "h"}

local function start(context, on_end)
    local options = {on_end}
    for name, value in pairs(OPTIONS) do
        options[name] = value
    end
    return context:start(options)
end

test.case("cqueues: many contexts, each polled and closed by a coroutine", function()
    local queue, passed = cqueues.new(), 0
    for _ = 1, 10 do
        queue:wrap(function()
            for _ = 1, 4 do
                local context = libspf.context{resolver = SLOW}
                start(context, function(result) passed = passed + (result.result == "pass" and 1 or 0) end)
                while context:pending() > 0 do
                    test.equal(cqueues.poll(context), context)
                    context:process()
                end
                cqueues.cancel(context)
                context:close()
            end
        end)
    end
    assert(queue:loop(60))
    test.equal(passed, 40)
end)

test.case("cqueues: a deadline wakes the coroutine", function()
    local queue, result = cqueues.new(), nil
    local context = libspf.context{resolver = SILENT, timeout = 0.05}
    start(context, function(found) result = found end)
    queue:wrap(function()
        while context:pending() > 0 do
            cqueues.poll(context)
            context:process()
        end
    end)
    assert(queue:loop(60))
    test.equal(result.cause, "deadline")
end)

test.case("cqueues: closed while it is polled", function()
    local queue, polled = cqueues.new(), nil
    local context = libspf.context{resolver = SILENT}
    start(context, error)
    queue:wrap(function() polled = cqueues.poll(context) end)
    queue:wrap(function()
        cqueues.sleep(0.01)
        cqueues.cancel(context)
        context:close()
    end)
    assert(queue:loop(60))
    test.equal(polled, context)
end)

test.case("LuaSocket: contexts beside a socket", function()
    local server = assert(socket.bind("127.0.0.1", 0))
    local context, silent = libspf.context{resolver = SLOW}, libspf.context{resolver = SILENT, timeout = 0.05}
    local results = {}
    start(context, function(result) results[#results + 1] = result.result end)
    start(silent, function(result) results[#results + 1] = result.result end)
    while context:pending() + silent:pending() > 0 do
        local ready = socket.select({server, context, silent}, nil)
        test.is_true(#ready > 0 and not ready[server], "a context")
        for _, object in ipairs(ready) do
            object:process()
        end
    end
    table.sort(results)
    test.equal(table.concat(results, " "), "pass temperror")
    server:close()
end)

test.case("luv: contexts and a timer", function()
    local context, silent = libspf.context{resolver = SLOW}, libspf.context{resolver = SILENT, timeout = 0.05}
    local results = {}
    for _, own in ipairs{context, silent} do
        local poll = uv.new_poll(own:fd())
        start(own, function(result) results[#results + 1] = result.result end)
        poll:start("r", function()
            own:process()
            if own:pending() == 0 then
                poll:close()
            end
        end)
    end
    uv.run()
    table.sort(results)
    test.equal(table.concat(results, " "), "pass temperror")
end)

test.finish()
