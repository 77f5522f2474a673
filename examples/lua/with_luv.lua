-- SPDX-License-Identifier: MIT
-- Checks in libuv's event loop:  lua with_luv.lua [CONFIG-FILE] <FILE
local uv = require "luv"
local libspf = require "libspf"

if ... then
    libspf.configure{config = ...}
end
local poll = uv.new_poll(libspf.fd())

local function close_if_done()
    if libspf.pending() == 0 then
        poll:close() -- nothing is left to wait for, so the loop ends
    end
end

for line in io.lines() do
    local ip, sender, helo = line:match("(%S+)%s+(%S+)%s+(%S+)")
    libspf.start{ip = ip, sender = sender, helo = helo, function(result)
        print(("%s %s: %s"):format(result.ip, result.sender, tostring(result)))
    end}
end
poll:start("r", function()
    libspf.process()
    close_if_done()
end)
close_if_done()
uv.run()
