-- SPDX-License-Identifier: MIT
-- Checks beside the sockets of LuaSocket:  lua with_luasocket.lua [CONFIG-FILE] <FILE
local socket = require "socket"
local libspf = require "libspf"

if ... then
    libspf.configure{config = ...}
end
for line in io.lines() do
    local ip, sender, helo = line:match("(%S+)%s+(%S+)%s+(%S+)")
    libspf.start(ip, sender, helo, function(result)
        print(("%s %s: %s"):format(result.ip, result.sender, tostring(result)))
    end)
end
while libspf.pending() > 0 do
    socket.select({libspf}, nil) -- with the program's own sockets in the same list
    libspf.process()
end
