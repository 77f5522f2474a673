-- SPDX-License-Identifier: MIT
-- A state that is closed with everything under way: host --times N closing.lua
local libspf = require "libspf"

local ZONE = 'example.com. 300 IN TXT "v=spf1 -all"\n'
libspf.configure{config = os.getenv "LIBSPF_CONFIG"}

local contexts = {
    libspf.context{resolver = os.getenv "LIBSPF_SILENT"},
    libspf.context{resolver = "none", zone_text = ZONE},
    libspf.context{resolver = {query = function() end, cancel = function() error("in a state that is closed") end}},
}
local kept = {}
for i = 1, 10 do
    for _, context in ipairs(contexts) do
        kept[#kept + 1] = context:start("192.0.2.7", "a" .. i .. "@example.com", "h", error)
    end
    kept[#kept + 1] = libspf.start("192.0.2.7", "a" .. i .. "@example.com", "h", error)
    kept[#kept + 1] = contexts[2]:check("192.0.2.7", "a@example.com", "h")
    for _, context in ipairs(contexts) do
        kept[#kept + 1] = context:start_survey{domain = "example.com", nearby = true, error}
    end
    kept[#kept + 1] = contexts[2]:survey("example.com")
    kept[#kept + 1] = kept[#kept]:flatten()
end
libspf.fd()
contexts[1]:fd()
pcall(contexts[2].process, contexts[2])
