"""The task file: its keys and types, its lines, and what can be wrong with it.

format, world_format     the keys, as pydantic reads them        json_schemas     their JSON Schema
locate, problems         where something stands, and what is wrong there, in words
semantics, call_…, turn_…, world_…, world_tool_semantics      what pydantic can't see: tools, arguments, turns,
                         paths of a world
programs                 programs of one's own
"""
